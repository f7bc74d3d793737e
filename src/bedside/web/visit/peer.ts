// One other page of the visit: "perfect negotiation" (W3C WebRTC, section 10.7) with one side making the first offer, and
// ICE restarts when the path fails, when it has been away for 5 s, and when signalling comes back.

const AWAY = 5000;
const STUCK = 6000;

export type Who = { connection: string; who: string; name: string; role: string };

export class Peer extends EventTarget {
  readonly pc: RTCPeerConnection;
  readonly stream = new MediaStream();
  private making = false;
  private ignoring = false;
  private away: number | undefined;
  private readonly watchdog: number;
  private waiting: RTCIceCandidateInit[] = [];
  missed = 0;
  /** Its socket was closed; while its pictures still come, they count. */
  gone = false;

  constructor(
    readonly who: Who,
    private readonly polite: boolean,
    ice: RTCIceServer[],
    private readonly tell: (data: unknown) => void,
  ) {
    super();
    this.pc = new RTCPeerConnection({ iceServers: ice, bundlePolicy: "max-bundle" });
    this.pc.onnegotiationneeded = () => void this.offer();
    this.pc.onicecandidate = ({ candidate }) => this.tell({ candidate });
    this.pc.ontrack = ({ track }) => {
      for (const old of this.stream.getTracks()) if (old.kind === track.kind) this.stream.removeTrack(old);
      this.stream.addTrack(track);
      this.dispatchEvent(new Event("track"));
    };
    this.pc.oniceconnectionstatechange = () => this.watch();
    // Whatever got lost on the way, a pair that is not connected tries again.
    this.watchdog = setInterval(() => {
      if (!this.connected) this.again();
    }, STUCK * (this.polite ? 1 : 1.7));
  }

  add(local: MediaStream): void {
    for (const track of local.getTracks()) this.pc.addTrack(track, local);
  }

  replace(track: MediaStreamTrack): void {
    const sender = this.pc.getSenders().find((s) => s.track?.kind === track.kind);
    void sender?.replaceTrack(track);
  }

  /** Try anew: an offer that may never have arrived is sent again, else the path is looked for again. */
  again(): void {
    if (this.polite && !this.pc.remoteDescription) {
      this.tell({ want: true });
      return;
    }
    if (this.pc.signalingState === "have-local-offer") this.tell({ description: this.pc.localDescription });
    else if (this.pc.signalingState !== "closed") this.pc.restartIce();
  }

  get connected(): boolean {
    return ["connected", "completed"].includes(this.pc.iceConnectionState);
  }

  /** Whether the path was there and is not any more. */
  get lost(): boolean {
    return ["disconnected", "failed", "closed"].includes(this.pc.iceConnectionState);
  }

  async hear(data: {
    description?: RTCSessionDescriptionInit;
    candidate?: RTCIceCandidateInit | null;
    want?: boolean;
  }): Promise<void> {
    if (data.want) this.again();
    if (data.description) {
      const collision =
        data.description.type === "offer" && (this.making || this.pc.signalingState !== "stable");
      this.ignoring = !this.polite && collision;
      if (this.ignoring) {
        // Ours stands; the other side may never have got it.
        this.waiting = [];
        this.again();
        return;
      }
      // An answer that comes twice, after its offer was sent twice.
      if (data.description.type === "answer" && this.pc.signalingState !== "have-local-offer") return;
      await this.pc.setRemoteDescription(data.description);
      for (const candidate of this.waiting.splice(0)) await this.path(candidate);
      if (data.description.type === "offer") {
        await this.pc.setLocalDescription();
        this.tell({ description: this.pc.localDescription });
      }
    } else if (data.candidate && !this.ignoring) {
      // Candidates of an offer that we ignored belong to nothing; one that comes before its description waits for it.
      if (!this.pc.remoteDescription) this.waiting.push(data.candidate);
      else await this.path(data.candidate);
    }
  }

  /** A way to the other side. One of a description that was rolled back is refused by the browser, and no loss. */
  private async path(candidate: RTCIceCandidateInit): Promise<void> {
    try {
      await this.pc.addIceCandidate(candidate);
    } catch {
      this.missed += 1;
    }
  }

  close(): void {
    clearTimeout(this.away);
    clearInterval(this.watchdog);
    this.pc.close();
  }

  private async offer(): Promise<void> {
    // One side alone makes the first offer: two that cross would have to be unmade again.
    if (this.polite && !this.pc.remoteDescription) return;
    try {
      this.making = true;
      await this.pc.setLocalDescription();
      this.tell({ description: this.pc.localDescription });
    } finally {
      this.making = false;
    }
  }

  private watch(): void {
    clearTimeout(this.away);
    const state = this.pc.iceConnectionState;
    if (state === "failed") this.again();
    if (state === "disconnected") this.away = setTimeout(() => this.again(), AWAY);
    this.dispatchEvent(new Event("state"));
  }
}
