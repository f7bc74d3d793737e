// <measure-device>: look for a Bluetooth device, show what it measured, ask whether it is the person's own and of now, send.
// Nothing is sent that was not shown first. What was sent is kept in this browser until the server holds it (queue.ts).
import "./measure.css";
import { type Link, NoLink, absent, choose, listen } from "./bluetooth";
import { type Decoded, type Kind, type Value, instant } from "./gatt";
import { CHANGED, type Fate, add, confirm, remove, send } from "./queue";

const MINUTE = 60_000;
/** Behind by more than this the person is asked whether it is of now; ahead by more than AHEAD the clock is wrong. */
const BEHIND = 10 * MINUTE;
const AHEAD = MINUTE;
/** Cuffs tell all they remember at once: the page asks when it was quiet for so long. */
const QUIET = 700;
/** Per cent: below it the page says so; the clinic's own limit is the server's. */
const LOW = 20;
const PATIENCE = 3 * MINUTE;

interface Found {
  decoded: Decoded;
  /** When it was received here, and when the device says it was measured; ms since 1970. */
  received: number;
  measured: number | null;
}

const UNITS: Record<string, string> = { "mm[Hg]": "mmHg", Cel: "°C", "[degF]": "°F", "[lb_av]": "lb" };

class MeasureDevice extends HTMLElement {
  private words: Record<string, string> = {};
  private device: BluetoothDevice | undefined;
  private link: Link | undefined;
  private found: Found[] = [];
  private shown: Found | undefined;
  private streams = false;
  private quiet: number | undefined;
  private patience: number | undefined;
  private unusual: number | undefined;
  /** Per cent, where the device told. */
  private battery: number | undefined;
  /** What the device last said instead of a number. */
  private refusal: string | undefined;

  connectedCallback(): void {
    this.words = JSON.parse(this.dataset["words"] ?? "{}") as Record<string, string>;
    if (absent()) {
      this.at("absent").hidden = false;
      this.at("by-hand").hidden = true; // it is offered above, large
      this.at("look").hidden = true;
      return;
    }
    this.on("start", () => this.start());
    this.on("take", () => this.take());
    this.on("send", () => this.sendShown(false));
    this.on("just-now", () => this.sendShown(true));
    this.on("then", () => this.sendShown(false));
    this.on("drop", () => this.drop());
    if (this.querySelector("[data-all]")) this.on("all", () => this.link?.ask("all"));
  }

  private get kind(): Kind {
    return this.dataset["kind"] as Kind;
  }

  private async start(): Promise<void> {
    this.clear();
    this.say("choosing");
    this.battery = undefined;
    try {
      this.device = await choose(this.kind);
      this.say("connecting");
      this.link = await listen(this.device, this.kind, {
        packet: (decoded, streams) => this.packet(decoded, streams),
        battery: (level) => this.charged(level),
        ended: (trouble) => this.ended(trouble),
      });
      if (!this.found.length) this.say(this.kind === "glucose-meter" ? "asking" : "listening");
      if (this.querySelector("[data-all]")) this.at("all").hidden = false;
      this.patience = setTimeout(() => this.ended("nothing"), PATIENCE);
    } catch (error) {
      this.end();
      this.say(error instanceof NoLink ? error.trouble : "out_of_reach");
    }
  }

  private packet(decoded: Decoded, streams: boolean): void {
    if (this.at("found").dataset["asked"]) return;
    if (decoded.refused) {
      // What was shown before stands no longer while the device says that it has no number.
      if (streams) this.hide();
      this.refusal = decoded.refused;
      if (streams || !this.found.length) this.say(decoded.refused);
      return;
    }
    this.streams = streams;
    clearTimeout(this.patience);
    const received = Date.now();
    const one = { decoded, received, measured: decoded.clock && instant(decoded.clock) };
    if (streams) {
      this.found = [one];
      this.show();
      return;
    }
    this.found.push(one);
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.show(), QUIET);
  }

  private charged(level: number): void {
    this.battery = level;
    if (this.shown) this.remark(this.shown.decoded);
  }

  private ended(trouble: string): void {
    // A cuff switches itself off once it has sent: then there is a number, and nothing is wrong.
    this.end();
    if (this.found.length && !(this.streams && !this.at("found").dataset["asked"])) return;
    const said = trouble === "gone" ? (this.refusal ?? trouble) : trouble;
    this.clear();
    this.say(said);
  }

  /** The newest, large; what else the device remembered is offered, unticked. */
  private show(): void {
    const time = (one: Found): number => one.measured ?? one.received;
    this.found.sort((a, b) => time(b) - time(a));
    const [shown, ...older] = this.found;
    if (!shown) return;
    const fresh = this.shown === undefined;
    this.shown = shown;
    this.text("name", this.called(shown.decoded.values[0]!));
    const [value, unit, also] = this.said(shown.decoded.values);
    this.text("value", value);
    this.text("unit", unit);
    this.text("also", also);
    const when = this.when(shown);
    this.text("when", this.streams ? this.word("live") : shown.measured === null ? this.word("no_clock") : this.doubted(shown) ? "" : this.word("at").replace("{when}", when));
    const doubt = this.doubted(shown);
    this.text("doubt", doubt ? this.word(doubt).replace("{when}", when) : "").hidden = !doubt;
    this.remark(shown.decoded);
    this.list(older);
    this.at("take").hidden = !this.streams;
    this.at("send").hidden = this.streams || doubt !== null;
    this.at("just-now").hidden = doubt === null;
    this.at("then").hidden = doubt !== "behind";
    this.at("drop").hidden = this.streams;
    this.at("look").hidden = true;
    this.at("found").hidden = false;
    if (fresh) {
      this.at("status").textContent = "";
      this.querySelector<HTMLElement>("#found-title")?.focus();
    }
  }

  /** Freeze a number that changes: what is asked about is what was seen. */
  private take(): void {
    this.streams = false;
    this.end();
    this.show();
    this.querySelector<HTMLElement>("[data-send]")?.focus();
  }

  private doubted(one: Found): "ahead" | "behind" | null {
    if (one.measured === null) return null;
    const behind = one.received - one.measured;
    return behind > BEHIND ? "behind" : behind < -AHEAD ? "ahead" : null;
  }

  /** justNow: the person says so, so the time of receipt counts, and not the clock of the device. */
  private async sendShown(justNow: boolean): Promise<void> {
    const { shown } = this;
    if (!shown) return;
    if (this.unusual !== undefined) {
      const key = this.unusual;
      this.unusual = undefined;
      await confirm(key);
      return this.finish(await send(key));
    }
    this.at("found").dataset["asked"] = "yes";
    this.end();
    this.say("sending");
    const ticked = [...this.querySelectorAll<HTMLInputElement>("[data-older-list] input:checked")].map((box) => this.found[Number(box.value)]!);
    const keys: number[] = [];
    try {
      // Oldest first; all are on the disk before the first is sent.
      for (const one of ticked.reverse()) keys.push(await this.keep(one, one.measured ?? one.received));
      keys.push(await this.keep(shown, justNow ? shown.received : (shown.measured ?? shown.received)));
    } catch {
      this.clear();
      return this.say("not_kept");
    }
    let fate: Fate = { is: "waiting" };
    let last = 0;
    for (const key of keys) {
      last = key;
      this.dataset["asking"] = String(key);
      fate = await send(key);
      if (fate.is === "waiting") break;
    }
    if (fate.is === "unusual") this.unusual = last;
    this.finish(fate);
  }

  private keep(one: Found, time: number): Promise<number> {
    const [value, unit] = this.said(one.decoded.values);
    const sent = {
      patient: this.dataset["patient"] ?? "",
      kind: this.kind,
      name: (this.device?.name ?? "").slice(0, 100),
      id: (this.device?.id ?? "").slice(0, 200),
      time,
      values: [
        ...one.decoded.values.map((each) => ({ metric: each.metric, value: each.value, unit: each.unit })),
        // Of now: an older reading says nothing of today's battery.
        ...(this.battery === undefined || one !== this.shown ? [] : [{ metric: "battery", value: this.battery, unit: "%" }]),
      ],
      confirmed: false,
    };
    return add(sent, `${this.called(one.decoded.values[0]!)} ${value} ${unit}`);
  }

  private finish(fate: Fate): void {
    switch (fate.is) {
      case "sent":
        if (!fate.conflict) return location.assign(fate.next);
        this.clear();
        return this.say("conflict");
      case "gone":
        return location.assign("/readings");
      case "unusual":
        this.say("unusual");
        for (const name of ["take", "just-now", "then"]) this.at(name).hidden = true;
        this.at("send").hidden = false;
        this.text("send", this.word("send_all_the_same")).focus();
        return;
      default: {
        const said = { waiting: "waiting", signed_out: "sign_in", another: "not_yours", refused: "refused", forbidden: "switched_off" };
        this.clear();
        return this.say(said[fate.is]);
      }
    }
  }

  private async drop(): Promise<void> {
    if (this.unusual !== undefined) await remove(this.unusual);
    this.clear();
    this.say("thrown");
  }

  private clear(): void {
    this.end();
    clearTimeout(this.quiet);
    this.found = [];
    this.unusual = this.refusal = undefined;
    this.streams = false;
    this.hide();
    delete this.at("found").dataset["asked"];
    this.at("look").hidden = false;
    if (this.dataset["asking"]) {
      delete this.dataset["asking"];
      dispatchEvent(new Event(CHANGED));
    }
  }

  private hide(): void {
    this.shown = undefined;
    this.at("found").hidden = true;
  }

  private end(): void {
    clearTimeout(this.patience);
    this.link?.end();
    this.link = undefined;
    if (this.querySelector("[data-all]")) this.at("all").hidden = true;
  }

  /** Value, unit and what stands beside it: "132/84", "mmHg", "Pulse 71 /min". */
  private said(values: readonly Value[]): [string, string, string] {
    const [first, ...others] = values;
    if (!first) return ["", "", ""];
    const second = first.metric === "systolic" ? others.find((one) => one.metric === "diastolic") : undefined;
    const beside = others.filter((one) => one !== second && one.metric !== "mean-pressure");
    return [
      second ? `${this.number(first)}/${this.number(second)}` : this.number(first),
      UNITS[first.unit] ?? first.unit,
      beside.map((one) => `${this.called(one)} ${this.number(one)} ${UNITS[one.unit] ?? one.unit}`).join(", "),
    ];
  }

  /** With the decimals that the device gave; a scale's steps of 5 g would show more than its own display does. */
  private number(one: Value): string {
    const least = one.metric === "weight" ? 1 : one.decimals;
    return new Intl.NumberFormat(this.lang || undefined, { minimumFractionDigits: least, maximumFractionDigits: Math.max(least, one.decimals) }).format(one.value);
  }

  private called(one: Value): string {
    return this.word(one.metric === "systolic" ? "m_blood-pressure" : `m_${one.metric}`);
  }

  private when(one: Found): string {
    return new Date(one.measured ?? one.received).toLocaleString(this.lang || undefined, { dateStyle: "full", timeStyle: "short" });
  }

  private remark(decoded: Decoded): void {
    const said = decoded.remarks.map((one) => this.word(one));
    if (this.battery !== undefined && this.battery <= LOW) said.push(this.word("charge").replace("{n}", String(this.battery)));
    if (decoded.user !== null) said.push(this.word("user").replace("{n}", String(decoded.user)));
    const list = this.at("remarks");
    list.replaceChildren(...said.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    list.hidden = said.length === 0;
  }

  private list(older: readonly Found[]): void {
    this.at("older").hidden = older.length === 0 || this.streams;
    this.text("older-count", `(${older.length})`);
    this.at("older-list").replaceChildren(
      ...older.map((one, place) => {
        const label = document.createElement("label");
        label.className = "choice";
        const box = Object.assign(document.createElement("input"), { type: "checkbox", value: String(place + 1), className: "checkbox" });
        const [value, unit] = this.said(one.decoded.values);
        // Without a clock nobody can say when that was: it is shown, and cannot be sent as if it were of now.
        box.disabled = one.measured === null || one.measured > one.received + AHEAD;
        label.append(box, ` ${value} ${unit}, ${one.measured === null ? "?" : this.when(one)}`);
        return label;
      }),
    );
  }

  private say(word: string): void {
    this.at("status").textContent = this.word(word).replace("{device}", this.device?.name ?? "");
  }

  private word(key: string): string {
    return this.words[key] ?? key;
  }

  private at(name: string): HTMLElement {
    const found = this.querySelector<HTMLElement>(`[data-${name}]`);
    if (!found) throw new Error(`no [data-${name}]`);
    return found;
  }

  private text(name: string, text: string): HTMLElement {
    const part = this.at(name);
    if (part.textContent !== text) part.textContent = text;
    return part;
  }

  private on(name: string, deed: () => unknown): void {
    this.at(name).addEventListener("click", () => void deed());
  }
}

customElements.define("measure-device", MeasureDevice);
