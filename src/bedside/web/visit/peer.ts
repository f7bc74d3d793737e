// One other page of the visit: WebRTC's "perfect negotiation" (W3C WebRTC, section 10.7), and ICE restarts when the
// path fails, when it has been away for 5 s, and when signalling comes back.

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
    }, STUCK);
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
    if (this.pc.signalingState === "have-local-offer") this.tell({ description: this.pc.localDescription });
    else if (this.pc.signalingState !== "closed") this.pc.restartIce();
  }

  get connected(): boolean {
    return ["connected", "completed"].includes(this.pc.iceConnectionState);
  }

  async hear(data: { description?: RTCSessionDescriptionInit; candidate?: RTCIceCandidateInit | null }): Promise<void> {
    if (data.description) {
      const collision =
        data.description.type === "offer" && (this.making || this.pc.signalingState !== "stable");
      this.ignoring = !this.polite && collision;
      if (this.ignoring) {
        // Ours stands; the other side may never have got it.
        this.again();
        return;
      }
      // An answer that comes twice, after its offer was sent twice.
      if (data.description.type === "answer" && this.pc.signalingState !== "have-local-offer") return;
      await this.pc.setRemoteDescription(data.description);
      for (const candidate of this.waiting.splice(0)) await this.pc.addIceCandidate(candidate);
      if (data.description.type === "offer") {
        await this.pc.setLocalDescription();
        this.tell({ description: this.pc.localDescription });
      }
    } else if (data.candidate) {
      if (!this.pc.remoteDescription) this.waiting.push(data.candidate);
      else
        try {
          await this.pc.addIceCandidate(data.candidate);
        } catch (error) {
          if (!this.ignoring) throw error;
        }
    }
  }

  close(): void {
    clearTimeout(this.away);
    clearInterval(this.watchdog);
    this.pc.close();
  }

  private async offer(): Promise<void> {
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
