// <note-pad>: nothing typed is lost. Each change goes to the server in less than half a second, however fast one types;
// until the server has it, it lies in this browser too, and comes back after a crash of either.
import { forget, keep, kept } from "./draft";
import "./note.css";

const EVERY = 300;
const AGAIN = 3000;

class NotePad extends HTMLElement {
  private box: HTMLTextAreaElement | undefined;
  private revision = 0;
  private kept = 0;
  private timer: number | undefined;
  private words: Record<string, string> = {};

  connectedCallback(): void {
    this.words = JSON.parse(this.dataset["words"] ?? "{}") as Record<string, string>;
    this.box = this.querySelector("textarea") ?? undefined;
    if (!this.box) return;
    this.revision = this.kept = Number(this.dataset["revision"] ?? 0);
    this.box.addEventListener("input", () => this.typed());
    void this.restore(this.box);
    addEventListener("online", () => void this.save());
    addEventListener("pagehide", () => void this.save(true));
  }

  /** What was typed here before and never reached the server. Nobody types meanwhile: it takes milliseconds. */
  private async restore(box: HTMLTextAreaElement): Promise<void> {
    box.readOnly = true;
    const draft = await kept(this.key);
    box.readOnly = false;
    if (!draft) return;
    if (draft.revision > this.revision) {
      box.value = draft.text;
      this.revision = draft.revision;
      void this.save();
    } else forget(this.key);
  }

  private get key(): string {
    return `bedside-note-${this.dataset["visit"]}`;
  }

  private typed(): void {
    // Time-based, so that two pages of the same writer never give two texts one number.
    this.revision = Math.max(this.revision + 1, Date.now());
    keep(this.key, { revision: this.revision, text: this.box?.value ?? "" });
    this.say("saving");
    // Never put off: who types without a pause is saved all the same.
    this.timer ??= setTimeout(() => void this.save(), EVERY);
  }

  private async save(leaving = false): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.revision === this.kept || !this.box) return;
    const { revision } = this;
    try {
      const answer = await fetch(`/visits/${this.dataset["visit"]}/note`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json" },
        body: JSON.stringify({ text: this.box.value, revision }),
        keepalive: leaving,
      });
      if (!answer.ok) throw new Error(String(answer.status));
      this.kept = revision;
      if (this.revision === revision) {
        forget(this.key);
        this.say("saved");
      }
    } catch {
      this.say("not_saved");
      this.timer ??= setTimeout(() => void this.save(), AGAIN);
    }
  }

  private say(key: string): void {
    const line = this.querySelector("[data-saved]");
    if (line) line.textContent = this.words[key] ?? key;
  }
}

customElements.define("note-pad", NotePad);
