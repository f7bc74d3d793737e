// <visit-room>: the live part of a visit. Everything it shows is in the page's HTML already; it fills the pictures in,
// wires the buttons, and says the connection in words (data-words: the phrases, in the reader's language).
import "./room.css";
import { Captions } from "./captions";
import { absent } from "./absent";
import { type Chosen, choices, open } from "./devices";
import { Link, type Moment } from "./link";
import { Peer, type Who } from "./peer";

type Words = Record<string, string>;

class VisitRoom extends HTMLElement {
  private local = new MediaStream();
  private link: Link | undefined;
  private peers = new Map<string, Peer>();
  private ice: RTCIceServer[] = [];
  private me = "";
  private words: Words = {};
  private chosen: Chosen = {};
  private awake: WakeLockSentinel | undefined;
  private captions: Captions | undefined;
  private welcomed = false;
  /** A newer page of this same person, which has the pictures then. */
  private elsewhere = "";

  connectedCallback(): void {
    this.words = JSON.parse(this.dataset["words"] ?? "{}") as Words;
    this.addEventListener("click", (event) => this.pressed(event));
    const captions = this.querySelector<HTMLElement>("[data-captions]");
    if (captions) this.captions = new Captions(captions);
    this.querySelector<HTMLFormElement>("[data-chat-form]")?.addEventListener("submit", (event) => this.write(event));
    for (const select of this.querySelectorAll<HTMLSelectElement>("[data-device]"))
      select.addEventListener("change", () => void this.change(select));
    addEventListener("pagehide", () => this.leave());
    document.addEventListener("visibilitychange", () => void this.stayAwake());
    void this.join();
  }

  private async join(): Promise<void> {
    if (absent()) {
      // The check's page says in full what to do; a clinician's own page has no such page before it.
      if (this.dataset["check"]) location.replace(this.dataset["check"]);
      else this.say("no_camera_api");
      return;
    }
    performance.mark("visit:join");
    this.say("starting");
    const { stream, trouble } = await open(this.chosen);
    this.local = stream;
    if (trouble !== "none") this.note(`trouble_${trouble}`);
    this.mirror();
    this.press("microphone", stream.getAudioTracks().length > 0);
    this.press("camera", stream.getVideoTracks().length > 0);
    this.say("waiting");
    void this.list();
    void this.stayAwake();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.link = new Link(`${scheme}://${location.host}/visits/${this.dataset["visit"]}/signal`);
    this.link.addEventListener("moment", (event) => void this.hear((event as CustomEvent<Moment>).detail));
    this.link.addEventListener("lost", () => {
      if (!this.anyConnected()) this.say("reconnecting");
    });
  }

  /** Oneself, once there is something: for a stream without tracks the browser would go on loading the page for ever. */
  private mirror(): void {
    const own = this.querySelector<HTMLVideoElement>("[data-self]");
    if (!own || own.srcObject === this.local || !this.local.getTracks().length) return;
    own.srcObject = this.local;
    own.muted = true;
    void own.play().catch(() => undefined);
  }

  private async hear(moment: Moment): Promise<void> {
    switch (moment.t) {
      case "welcome":
        this.ice = moment["ice"] as RTCIceServer[];
        this.me = moment["who"] as string;
        for (const line of moment["chat"] as Moment[]) this.line(line, this.welcomed);
        this.welcomed = true;
        this.elsewhere = "";
        for (const peer of this.peers.values()) if (!peer.connected) peer.again();
        break;
      case "here":
        this.meet(moment as unknown as Who);
        break;
      case "gone":
        this.gone(moment["connection"] as string);
        break;
      case "signal":
        await this.peers.get(moment["from"] as string)?.hear(moment["data"] as object);
        break;
      case "state":
        this.state(moment);
        break;
      case "chat":
        this.line(moment, true);
        break;
      case "visit":
        if (moment["status"] === "finished" || moment["status"] === "cancelled") this.over();
        // Somebody else comes: the page says who.
        else if (moment["event"] === "handed") location.reload();
        break;
      case "ended":
        location.replace("/sign-in");
        break;
      case "refused":
        this.note("", `${moment["error"] as string} ${(moment["remedy"] as string | null) ?? ""}`);
        this.unwritten(moment["text"] as string | undefined);
        break;
    }
  }

  private meet(who: Who): void {
    if (who.who === this.me) {
      this.mine(who);
      return;
    }
    if (this.elsewhere) return;
    const known = this.peers.get(who.connection);
    if (known) {
      known.gone = false;
      if (!known.connected) known.again();
      return;
    }
    // The same person on a newer page (a reload) takes the place of the older, and not the other way round.
    for (const other of this.peers.values()) {
      if (other.who.who !== who.who) continue;
      if (other.who.connection > who.connection && !other.gone && !other.lost) return;
      this.leftBy(other);
    }
    const polite = (this.link?.connection ?? "") < who.connection;
    const peer = new Peer(who, polite, this.ice, (data) =>
      this.link?.send({ t: "signal", to: who.connection, data }),
    );
    this.peers.set(who.connection, peer);
    const picture = this.picture(who);
    peer.addEventListener("track", () => {
      const video = picture.querySelector("video");
      if (!video) return;
      video.srcObject = peer.stream;
      void video.play().catch(() => undefined);
      video.requestVideoFrameCallback?.(() => {
        performance.mark("visit:first-frame");
        this.dataset["frames"] = "yes";
      });
    });
    peer.addEventListener("state", () => {
      if (peer.connected) this.shown(peer, true);
      else if (peer.gone) this.shown(peer, false);
      this.tellState();
    });
    peer.add(this.local);
    this.sendState();
  }

  /** Another page of this person: the newest has the pictures, an older one says where they are. */
  private mine(who: Who): void {
    if (who.connection < (this.link?.connection ?? "")) return;
    this.elsewhere = who.connection;
    for (const peer of this.peers.values()) this.leftBy(peer);
    this.together();
    this.tellState();
  }

  /** A page's socket is closed. Its pictures may still come: then they decide. */
  private gone(connection: string): void {
    if (connection === this.elsewhere) {
      this.elsewhere = "";
      this.together();
      this.tellState();
      this.link?.send({ t: "here" });
      return;
    }
    const peer = this.peers.get(connection);
    if (!peer) return;
    peer.gone = true;
    setTimeout(() => {
      if (peer.gone && !peer.connected) this.shown(peer, false);
    }, 1500);
  }

  /** Somebody's page is gone for good: another of theirs has come, or the visit is over. */
  private leftBy(peer: Peer): void {
    peer.close();
    this.peers.delete(peer.who.connection);
    this.querySelector(`[data-peer="${peer.who.connection}"]`)?.remove();
    this.together();
    this.tellState();
  }

  /** Somebody is away for a while: the picture goes, the connection stays ready for them. */
  private shown(peer: Peer, here: boolean): void {
    const picture = this.querySelector<HTMLElement>(`[data-peer="${peer.who.connection}"]`);
    if (picture) picture.hidden = !here;
    this.together();
    this.tellState();
  }

  private together(): void {
    const pictures = [...this.querySelectorAll<HTMLElement>("[data-peer]")].filter((p) => !p.hidden);
    const nobody = pictures.length === 0 && !this.elsewhere;
    this.toggleAttribute("data-together", !nobody);
    if (this.link) this.link.alone = nobody;
  }

  /** The frame of somebody's picture, from the page's template. */
  private picture(who: Who): HTMLElement {
    const template = this.querySelector<HTMLTemplateElement>("template[data-picture]");
    const made = template?.content.firstElementChild?.cloneNode(true) as HTMLElement;
    made.dataset["peer"] = who.connection;
    const name = made.querySelector("[data-name]");
    if (name) name.textContent = `${who.name}, ${this.words[`role_${who.role}`] ?? who.role}`;
    made.querySelector("video")?.setAttribute("aria-label", who.name);
    this.querySelector("[data-pictures]")?.append(made);
    this.together();
    return made;
  }

  private anyConnected(): boolean {
    return [...this.peers.values()].some((p) => p.connected);
  }

  private tellState(): void {
    const states = [...this.peers.values()].map((p) => p.pc.iceConnectionState);
    if (this.elsewhere) this.say("elsewhere");
    else if (!this.hasAttribute("data-together")) this.say("waiting");
    else if (states.some((s) => s === "connected" || s === "completed")) this.say("connected");
    else if (states.some((s) => s === "disconnected" || s === "failed")) this.say("reconnecting");
    else this.say("connecting");
  }

  private pressed(event: Event): void {
    const button = (event.target as Element).closest<HTMLElement>("[data-do]");
    if (!button) return;
    const what = button.dataset["do"] ?? "";
    if (what === "microphone" || what === "camera") {
      const tracks = what === "camera" ? this.local.getVideoTracks() : this.local.getAudioTracks();
      const on = tracks.some((t) => !t.enabled);
      for (const track of tracks) track.enabled = on;
      this.press(what, on && tracks.length > 0);
      this.sendState();
    } else if (what === "share") void this.share();
    else if (what === "panel") {
      const panel = this.querySelector<HTMLElement>(`#${button.dataset["panel"]}`);
      if (!panel) return;
      panel.hidden = !panel.hidden;
      button.setAttribute("aria-expanded", String(!panel.hidden));
      if (!panel.hidden) panel.querySelector<HTMLElement>("input, select, button")?.focus();
      button.querySelector("[data-unread]")?.remove();
    }
  }

  /** The screen instead of the camera, until it is stopped. */
  private async share(): Promise<void> {
    try {
      const screen = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 10 } });
      const track = screen.getVideoTracks()[0];
      if (!track) return;
      track.contentHint = "text";
      for (const peer of this.peers.values()) peer.replace(track);
      this.press("share", true);
      track.onended = () => {
        const camera = this.local.getVideoTracks()[0];
        if (camera) for (const peer of this.peers.values()) peer.replace(camera);
        this.press("share", false);
      };
    } catch {
      this.press("share", false);
    }
  }

  private press(what: string, on: boolean): void {
    const button = this.querySelector(`[data-do="${what}"]`);
    button?.setAttribute("aria-pressed", String(on));
    const word = button?.querySelector("[data-word]");
    const phrase = this.words[`${what}_${on ? "on" : "off"}`];
    if (word && phrase) word.textContent = phrase;
  }

  private sendState(): void {
    const on = (tracks: MediaStreamTrack[]): boolean => tracks.some((t) => t.enabled);
    const { local } = this;
    this.link?.send({ t: "state", microphone: on(local.getAudioTracks()), camera: on(local.getVideoTracks()) });
  }

  private state(moment: Moment): void {
    const said = this.querySelector(`[data-peer="${moment["from"] as string}"] [data-state]`);
    if (!said) return;
    const phrases = [
      moment["microphone"] === false ? this.words["their_microphone_off"] : "",
      moment["camera"] === false ? this.words["their_camera_off"] : "",
    ];
    said.textContent = phrases.filter(Boolean).join(" · ");
  }

  private async list(): Promise<void> {
    for (const select of this.querySelectorAll<HTMLSelectElement>("[data-device]")) {
      const kind = select.dataset["device"] as "camera" | "microphone";
      const found = await choices(kind === "camera" ? "videoinput" : "audioinput");
      const tracks = kind === "camera" ? this.local.getVideoTracks() : this.local.getAudioTracks();
      const now = tracks[0]?.getSettings().deviceId;
      select.replaceChildren(...found.map(([id, name]) => new Option(name, id, false, id === now)));
    }
  }

  private async change(select: HTMLSelectElement): Promise<void> {
    const kind = select.dataset["device"] as "camera" | "microphone";
    this.chosen = { ...this.chosen, [kind]: select.value };
    const { stream } = await open(this.chosen);
    const [track] = kind === "camera" ? stream.getVideoTracks() : stream.getAudioTracks();
    for (const other of stream.getTracks()) if (other !== track) other.stop();
    if (!track) return;
    for (const old of this.local.getTracks())
      if (old.kind === track.kind) {
        track.enabled = old.enabled;
        old.stop();
        this.local.removeTrack(old);
      }
    this.local.addTrack(track);
    this.mirror();
    for (const peer of this.peers.values()) peer.replace(track);
  }

  private write(event: Event): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const box = form.elements.namedItem("text") as HTMLInputElement;
    const text = box.value.trim();
    if (!text) return;
    this.link?.send({ t: "chat", id: crypto.randomUUID(), text });
    box.value = "";
  }

  /** A line that was refused goes back to where it was written, unless something newer stands there. */
  private unwritten(text: string | undefined): void {
    const box = this.querySelector<HTMLInputElement>("[data-chat-form] [name=text]");
    if (text && box && !box.value) box.value = text;
  }

  /** A line of chat. fresh: it was written while this page was open; what the other side wrote is then a caption too. */
  private line(moment: Moment, fresh: boolean): void {
    const list = this.querySelector("[data-chat]");
    const id = String(moment["id"]);
    if (!list || list.querySelector(`[data-line="${CSS.escape(id)}"]`)) return;
    const item = document.createElement("li");
    item.dataset["line"] = id;
    const name = document.createElement("strong");
    name.textContent = moment["who"] === this.me ? (this.words["you"] ?? "") : String(moment["name"]);
    item.append(name, ` ${String(moment["text"])}`);
    list.append(item);
    item.scrollIntoView({ block: "nearest" });
    if (!fresh || moment["who"] === this.me) return;
    this.captions?.say(String(moment["text"]));
    this.unread();
  }

  /** A word on the chat's button while its panel is shut: nobody is written to unseen. */
  private unread(): void {
    const button = this.querySelector<HTMLElement>('[data-panel="chat-panel"]');
    if (!button || button.getAttribute("aria-expanded") === "true" || button.querySelector("[data-unread]")) return;
    const mark = document.createElement("span");
    mark.dataset["unread"] = "";
    mark.className = "unread";
    mark.textContent = this.words["unread"] ?? "";
    button.append(mark);
  }

  private async stayAwake(): Promise<void> {
    if (document.hidden || this.awake?.released === false) return;
    try {
      this.awake = await navigator.wakeLock?.request("screen");
    } catch {
      // A help only: without it the screen may dim.
    }
  }

  private say(key: string): void {
    const line = this.querySelector<HTMLElement>("[data-link]");
    const phrase = this.words[key] ?? key;
    if (line && line.textContent !== phrase) line.textContent = phrase;
    this.dataset["phase"] = key;
  }

  private note(key: string, text = ""): void {
    const line = this.querySelector<HTMLElement>("[data-note]");
    if (!line) return;
    line.hidden = false;
    line.textContent = text || (this.words[key] ?? key);
  }

  private leave(): void {
    this.link?.close();
    for (const peer of this.peers.values()) peer.close();
    for (const track of this.local.getTracks()) track.stop();
  }

  private over(): void {
    this.leave();
    this.say("over");
    this.setAttribute("data-over", "");
    const next = this.dataset["after"];
    if (next) location.assign(next);
  }
}

customElements.define("visit-room", VisitRoom);
