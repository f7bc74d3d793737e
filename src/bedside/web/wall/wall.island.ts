/// <reference types="vite/client" />
// Keeps the wall true: takes pictures of tiles as they change, ages what is shown, and says so when nothing comes any more.
import "./wall.css";
import { Panel } from "./panel";
import { type Priority, Speaker } from "./sound";
import { Waves } from "./waves";

const DEAD_AFTER = 3_500; // ms without a word from the server; its beat comes every second
const DEAF_AFTER = 5_000; // ms without any word, after which the link is begun anew: one to a machine that lost its power stays open
const SLOWEST = 20_000;
const CALM = 10_000; // ms without a change of severity before tiles may move
const SILENCE = 120; // s

interface Bar {
  open: number;
  oldest: string | null;
  worst: Priority | null;
  sound: Priority | null;
  newest: string | null;
}
interface Message {
  kind: "all" | "tiles" | "beat" | "ended";
  now: string;
  tiles?: [string, string][];
  bar?: Bar;
  rail?: string;
  bus?: boolean;
  alive?: boolean; // false: the server itself cannot read the truth
  deaf?: boolean; // whether no readings can come in
  outage?: string; // what one cause has silenced, in words
  beyond?: string; // how many are watched and have no tile, in words
  off?: boolean; // whether alarms from readings are off in this installation
}

class BedsideWall extends HTMLElement {
  #words: Record<string, string> = {};
  #speaker = new Speaker();
  waves: Waves | null = null;
  #socket: WebSocket | null = null;
  #heard = 0; // when truth last came, by performance.now, which no clock change moves
  #word = 0; // when anything came by this link, or it was begun
  #patience = DEAF_AFTER;
  #blind = false;
  #fuse = 0;
  #ahead = 0; // ms that the server's clock is ahead of ours
  #retry = 500;
  #bySeverity = false;
  #moved = 0;
  #ranks = "";
  #order: string[] = [];
  #newest = "";
  #slow = false;
  #wake: WakeLockSentinel | null = null;
  #wakeFailed = false;
  #wasHidden = false;
  #panel: Panel | null = null;

  connectedCallback(): void {
    this.#words = JSON.parse(this.dataset.words ?? "{}");
    this.#ahead = Date.parse(this.dataset.now ?? "") - Date.now() || 0;
    this.#heard = performance.now();
    this.waves = new Waves({ off: this.#words.off ?? "", silent: this.#words.silent ?? "", s: this.#words.s ?? "" });
    for (const tile of this.#tiles()) this.waves.adopt(tile);
    this.#order = this.#tiles().map((tile) => tile.dataset.patient ?? "");
    this.#part("tools").hidden = false;
    this.#part("keys").hidden = false;
    this.#panel = new Panel(this.#part("panel") as HTMLDialogElement, (patient) => this.#focus(patient));
    this.addEventListener("click", (event) => this.#click(event));
    this.querySelector("[data-place]")?.addEventListener("change", (event) => (event.target as HTMLSelectElement).form?.submit());
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#wasHidden = true;
      else void this.#stayAwake();
      this.#sayBanner();
    });
    void this.#stayAwake();
    this.#sound((this.dataset.sound || null) as Priority | null, null);
    this.#connect();
    setInterval(() => {
      this.#unlessDeaf();
      this.#tick();
    }, 1000);
    this.#tick();
  }

  #part(name: string): HTMLElement {
    const found = this.querySelector<HTMLElement>(`[data-${name}]`);
    if (!found) throw new Error(`the wall has no ${name}`);
    return found;
  }

  #tiles(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>(".tile")];
  }

  // The link

  #connect(): void {
    const url = new URL(this.dataset.live ?? "/wall/live", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#word = performance.now();
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => {
      if (typeof event.data === "string") this.#take(JSON.parse(event.data) as Message);
      else this.waves?.take(event.data as ArrayBuffer);
    };
    socket.onclose = (event) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (event.code === 4401) this.dataset.signedOut = "yes";
      setTimeout(() => this.#connect(), this.#retry);
      this.#retry = Math.min(this.#retry * 2, 5_000);
      this.#sayBanner();
    };
  }

  /** A link that says nothing though a beat is due every second; the next is given longer, for a slow network. */
  #unlessDeaf(): void {
    if (!this.#socket || performance.now() - this.#word < this.#patience) return;
    const old = this.#socket;
    old.onclose = old.onmessage = null;
    old.close();
    this.#patience = Math.min(this.#patience * 2, SLOWEST);
    this.#connect();
  }

  #take(message: Message): void {
    this.#word = performance.now();
    if (message.kind === "ended") {
      location.reload();
      return;
    }
    this.#blind = message.alive === false;
    if (!this.#blind) this.#heard = performance.now();
    clearTimeout(this.#fuse);
    this.#fuse = window.setTimeout(() => this.#tick(), DEAD_AFTER + 10);
    this.#ahead = Date.parse(message.now) - Date.now();
    this.#retry = 500;
    if (message.kind === "beat") this.#patience = DEAF_AFTER;
    delete this.dataset.signedOut;
    if (message.kind === "beat") {
      this.#slow = message.bus === false;
      this.#part("off").hidden = message.off !== true;
      this.#part("deaf").hidden = message.deaf !== true;
      for (const line of ["outage", "beyond"] as const) {
        this.#part(line).hidden = !message[line];
        this.#say(this.#part(line), message[line] ?? "");
      }
    }
    if (message.kind === "all") this.#all(message.tiles ?? []);
    else for (const [patient, html] of message.tiles ?? []) this.#put(patient, html);
    if (message.bar) this.#bar(message.bar);
    if (message.rail !== undefined) this.#replaceRail(message.rail);
    this.#tick();
  }

  static #made(html: string): HTMLElement {
    const template = document.createElement("template");
    template.innerHTML = html; // from our own server, escaped there
    return template.content.firstElementChild as HTMLElement;
  }

  #all(tiles: [string, string][]): void {
    const focused = this.#focused();
    this.#order = tiles.map(([patient]) => patient);
    const made = tiles.map(([, html]) => BedsideWall.#made(html));
    for (const tile of made) this.waves?.adopt(tile);
    this.#part("tiles").replaceChildren(...made);
    this.waves?.tidy();
    this.#moved = 0;
    this.#arrange();
    this.#focus(focused);
  }

  #put(patient: string, html: string): void {
    const old = this.querySelector<HTMLElement>(`.tile[data-patient="${CSS.escape(patient)}"]`);
    if (!old) return;
    const focused = old.contains(document.activeElement);
    const made = BedsideWall.#made(html);
    this.waves?.adopt(made);
    old.replaceWith(made);
    this.waves?.tidy();
    if (focused) this.#focus(patient);
    this.#panel?.changed(patient);
  }

  #replaceRail(html: string): void {
    const rail = this.#part("rail");
    const at = rail.querySelector<HTMLAnchorElement>("a:focus")?.getAttribute("href");
    rail.innerHTML = html;
    if (at) rail.querySelector<HTMLElement>(`a[href="${CSS.escape(at)}"]`)?.focus();
  }

  #bar(bar: Bar): void {
    const head = this.querySelector<HTMLElement>(".bar");
    if (head) head.dataset.worst = bar.worst ?? "";
    this.#part("count").textContent = String(bar.open);
    this.#say(this.#part("counted"), this.#words[bar.open === 1 ? "openAlarm" : "openAlarms"] ?? "");
    const shapes = { high: "M5 .5 10 9.5H0z", medium: "M5 0 10 5 5 10 0 5z", low: "M5 .5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9z" };
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", shapes[bar.worst ?? "low"]);
    this.querySelector(".bar-shape svg")?.replaceChildren(path);
    const oldest = this.#part("oldest");
    if (bar.oldest) {
      const time = document.createElement("time");
      time.dataset.at = bar.oldest;
      time.dateTime = bar.oldest;
      oldest.replaceChildren(time);
    } else oldest.textContent = "–";
    this.#sound(bar.sound, bar.newest);
  }

  #sound(priority: Priority | null, newest: string | null): void {
    // A new alarm breaks a silence that was asked for older ones.
    if (newest && this.#newest && newest > this.#newest) this.#speaker.silentUntil = 0;
    if (newest) this.#newest = newest;
    this.#speaker.play(priority);
    this.dataset.sounding = priority ?? "";
  }

  // Time

  #now(): number {
    return Date.now() + this.#ahead;
  }

  #age(ms: number): string {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const w = this.#words;
    if (seconds < 100) return `${seconds} ${w.s}`;
    if (seconds < 6000) return `${Math.floor(seconds / 60)} ${w.min}`;
    if (seconds < 172800) return `${Math.floor(seconds / 3600)} ${w.h}`;
    return `${Math.floor(seconds / 86400)} ${w.days}`;
  }

  #tick(): void {
    const now = this.#now();
    const quiet = performance.now() - this.#heard;
    const dead = quiet > DEAD_AFTER || this.#blind;
    this.classList.toggle("is-dead", dead);
    const link = dead ? `${this.#words.lost} ${this.#age(quiet)}` : this.#slow ? this.#words.slow : this.#words.live;
    this.#say(this.#part("link"), link ?? "");
    this.#say(this.#part("clock"), this.#clock(now));
    for (const time of this.querySelectorAll<HTMLElement>("[data-at]")) this.#say(time, this.#age(now - Date.parse(time.dataset.at ?? "")));
    for (const value of this.querySelectorAll<HTMLElement>("[data-stale]"))
      value.classList.toggle("is-stale", now >= Date.parse(value.dataset.stale ?? ""));
    for (const line of this.querySelectorAll<HTMLElement>(".lost")) {
      const silent = line.closest(".tile-silent");
      const newest = [...(line.closest(".tile")?.querySelectorAll<HTMLElement>(".age[data-at]") ?? [])].map((t) => Date.parse(t.dataset.at ?? ""));
      const since = dead ? quiet : newest.length ? now - Math.max(...newest) : 0;
      if (dead || silent) this.#say(line, `${this.#words.noData} ${since ? this.#age(since) : ""}`);
    }
    const ranks = this.#tiles().map((t) => `${t.dataset.patient}:${t.dataset.rank}`).sort().join();
    if (ranks !== this.#ranks) {
      this.#ranks = ranks;
      this.#moved = performance.now();
    } else if (this.#bySeverity && performance.now() - this.#moved > CALM) this.#arrange();
    this.#saySound();
    this.#sayBanner();
  }

  /** The time of day in the reader's zone. */
  #clock(at: number, seconds = false): string {
    const part = "2-digit";
    const shape: Intl.DateTimeFormatOptions = { hour: part, minute: part, hourCycle: "h23", timeZone: this.dataset.zone };
    return new Date(at).toLocaleTimeString(document.documentElement.lang, seconds ? { ...shape, second: part } : shape);
  }

  #say(element: HTMLElement, text: string): void {
    if (element.textContent !== text) element.textContent = text;
  }

  // What the nurse does

  #arrange(): void {
    const grid = this.#part("tiles");
    const place = new Map(this.#order.map((patient, n) => [patient, n]));
    const tiles = this.#tiles();
    const wanted = [...tiles].sort((a, b) => {
      const severity = this.#bySeverity ? Number(b.dataset.rank) - Number(a.dataset.rank) : 0;
      return severity || (place.get(a.dataset.patient ?? "") ?? 0) - (place.get(b.dataset.patient ?? "") ?? 0);
    });
    if (wanted.every((tile, n) => tile === tiles[n])) return;
    const focused = this.#focused();
    grid.replaceChildren(...wanted);
    this.#focus(focused);
  }

  #focused(): string {
    return document.activeElement?.closest<HTMLElement>(".tile")?.dataset.patient ?? "";
  }

  #focus(patient: string): void {
    if (patient) this.querySelector<HTMLElement>(`.tile[data-patient="${CSS.escape(patient)}"] .tile-open`)?.focus();
  }

  #click(event: MouseEvent): void {
    const target = event.target as Element;
    const does = target.closest<HTMLElement>("[data-do]")?.dataset.do;
    if (does) return void this.#do(does);
    const link = target.closest<HTMLElement>("[data-open]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      void this.#panel?.open(link.dataset.open?.split("/").pop() ?? "");
    }
  }

  #do(what: string): void {
    if (what === "sort") {
      this.#bySeverity = !this.#bySeverity;
      this.querySelector('[data-do="sort"]')?.setAttribute("aria-pressed", String(this.#bySeverity));
      this.#arrange();
    } else if (what === "rail") {
      const rail = this.#part("rail");
      rail.hidden = !rail.hidden;
      this.classList.toggle("with-rail", !rail.hidden);
      this.querySelector('[data-do="rail"]')?.setAttribute("aria-pressed", String(!rail.hidden));
    } else if (what === "full") {
      if (document.fullscreenElement) void document.exitFullscreen();
      else void document.documentElement.requestFullscreen();
    } else if (what === "sound") {
      if (this.#speaker.allowed) this.#speaker.silence(this.#speaker.silentUntil > Date.now() ? 0 : SILENCE);
      else void this.#speaker.open().then(() => this.#tick());
      this.#tick();
    } else if (what === "seen") {
      this.#wasHidden = false;
      this.#tick();
    }
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
    if (this.querySelector("dialog[open]")) return;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.#columns(), ArrowUp: -this.#columns() }[event.key];
    if (step) {
      const tiles = this.#tiles();
      const at = tiles.findIndex((tile) => tile.contains(document.activeElement));
      const next = at < 0 ? 0 : Math.min(Math.max(at + step, 0), tiles.length - 1);
      tiles[next]?.querySelector<HTMLElement>(".tile-open")?.focus();
      event.preventDefault();
      return;
    }
    const does = { s: "sort", l: "rail", m: "sound", f: "full" }[event.key.toLowerCase()];
    if (does) this.#do(does);
    const patient = this.#focused();
    if (!patient) return;
    if (event.key.toLowerCase() === "a") void this.#panel?.openAt(patient, "acknowledge");
    if (event.key.toLowerCase() === "p") void this.#panel?.openAt(patient, "pause");
    if (event.key.toLowerCase() === "c") location.href = `/patients/${encodeURIComponent(patient)}`;
    if (event.key.toLowerCase() === "v") location.href = `/patients/${encodeURIComponent(patient)}/visit`;
  }

  #columns(): number {
    return getComputedStyle(this.#part("tiles")).gridTemplateColumns.split(" ").length;
  }

  // What stands between an alarm and an ear or an eye

  async #stayAwake(): Promise<void> {
    try {
      this.#wake = await navigator.wakeLock.request("screen");
      this.#wakeFailed = false;
      this.#wake.onrelease = () => {
        this.#wakeFailed = !document.hidden;
        this.#sayBanner();
      };
    } catch {
      this.#wakeFailed = true;
    }
    this.#sayBanner();
  }

  #saySound(): void {
    const button = this.querySelector<HTMLElement>('[data-do="sound"] [data-word]');
    if (!button) return;
    const until = this.#speaker.silentUntil;
    const words = this.#words;
    if (!this.#speaker.allowed) this.#say(button, words.soundOff ?? "");
    else if (until > Date.now())
      this.#say(button, `${words.silenced} ${this.#clock(until + this.#ahead, true)}`);
    else this.#say(button, (this.dataset.sounding ? words.silence : words.sound) ?? "");
  }

  #sayBanner(): void {
    const lines: [string, string][] = [];
    if (this.dataset.signedOut) lines.push([this.#words.signedOut ?? "", ""]);
    if (!this.#speaker.allowed) lines.push([this.#words.gesture ?? "", "sound"]);
    if (this.#wasHidden) lines.push([this.#words.hidden ?? "", "seen"]);
    if (this.#wakeFailed) lines.push([this.#words.wake ?? "", ""]);
    const banner = this.#part("banner");
    const key = lines.map(([text]) => text).join("|");
    banner.hidden = lines.length === 0;
    if (banner.dataset.key === key) return;
    banner.dataset.key = key;
    banner.replaceChildren(
      ...lines.flatMap(([text, does]) => {
        const said = document.createElement("span");
        said.textContent = text;
        if (!does) return [said];
        const button = document.createElement("button");
        button.className = "btn";
        button.type = "button";
        button.dataset.do = does;
        button.textContent = this.#words[does === "sound" ? "test" : "understood"] ?? "";
        return [said, button];
      }),
    );
  }
}

customElements.define("bedside-wall", BedsideWall);
