// <readings-waiting>: what this browser keeps of this patient's readings. It sends them when the page opens, when the network
// is back, and every half minute; where the browser can, it is asked to send with no page open. It says how many wait, asks
// about an unusual one, and says which one was refused.
import { prepare, wake } from "../readings/wake";
import { CHANGED, type Entry, confirm, drain, kept, remove } from "../readings/queue";

const AGAIN = 30_000;

class ReadingsWaiting extends HTMLElement {
  private words: Record<string, string> = {};
  private busy = false;
  private again = false; // asked for while it was sending
  private signedOut = false;
  /** Whether the browser will send what is kept with no page open; undefined while nothing waits. */
  private woken: Promise<boolean> | undefined;

  connectedCallback(): void {
    this.words = JSON.parse(this.dataset["words"] ?? "{}") as Record<string, string>;
    addEventListener("online", () => void this.drain());
    addEventListener(CHANGED, () => void this.show());
    // Where something may soon be kept, the worker is fetched before the network goes.
    if (document.querySelector("measure-device")) void prepare(this.dataset["worker"] ?? "");
    setInterval(() => void this.drain(), AGAIN);
    void this.drain();
  }

  private async drain(): Promise<void> {
    this.again = this.busy;
    if (this.busy) return;
    this.busy = true;
    try {
      do {
        this.again = false;
        const fates = await drain(this.dataset["patient"] ?? "");
        this.signedOut = fates.some((fate) => fate.is === "signed_out");
        await this.show();
      } while (this.again);
    } catch {
      // A browser that keeps nothing has nothing to send.
    } finally {
      this.busy = false;
    }
  }

  private async show(): Promise<void> {
    // <measure-device> asks about the one that it is sending.
    const asking = document.querySelector<HTMLElement>("measure-device")?.dataset["asking"];
    const entries = (await kept(this.dataset["patient"] ?? "")).filter((entry) => String(entry.key) !== asking);
    const waiting = entries.filter((entry) => entry.state === "waiting").length;
    const notice = this.querySelector<HTMLElement>(".notice");
    if (notice) notice.hidden = waiting === 0;
    this.put("[data-count]", (waiting === 1 ? this.words["one"] : this.words["many"]?.replace("{n}", String(waiting))) ?? "");
    this.woken = waiting ? (this.woken ?? wake(this.dataset["worker"] ?? "")) : undefined;
    const will = (await this.woken) ? "alone" : "will";
    this.put("[data-what]", this.words[this.signedOut ? "sign_in" : will] ?? "");
    const asks = entries.filter((entry) => entry.state !== "waiting");
    const list = this.querySelector<HTMLElement>("[data-asks]");
    list?.replaceChildren(...asks.map((entry) => this.ask(entry)));
    if (list) list.hidden = asks.length === 0;
    this.hidden = entries.length === 0;
  }

  private put(place: string, text: string): void {
    const line = this.querySelector(place);
    // A live region that is written again is read out again.
    if (line && line.textContent !== text) line.textContent = text;
  }

  private ask(entry: Entry): HTMLElement {
    const item = document.createElement("li");
    item.className = "card stack";
    const said = document.createElement("p");
    said.textContent = (this.words[entry.state] ?? "").replace("{value}", entry.shown);
    item.append(said);
    if (entry.state === "unusual") {
      item.append(this.button("right", "btn btn-primary btn-wide", () => void confirm(entry.key).then(() => this.drain())));
      item.append(this.button("drop", "btn btn-wide", () => void remove(entry.key)));
    } else item.append(this.button("remove", "btn btn-wide", () => void remove(entry.key)));
    return item;
  }

  private button(word: string, look: string, deed: () => void): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = look;
    button.textContent = this.words[word] ?? word;
    button.addEventListener("click", deed);
    return button;
  }
}

customElements.define("readings-waiting", ReadingsWaiting);
