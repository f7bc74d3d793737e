// <note-pad>: nothing typed is lost. Each change goes to the server within a second; until the server has it, it lies in
// this browser too, and comes back after a crash of either.
import "./note.css";

const PAUSE = 700;

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
    const stored = localStorage.getItem(this.key);
    if (stored) {
      const { revision, text } = JSON.parse(stored) as { revision: number; text: string };
      if (revision > this.revision) {
        this.box.value = text;
        this.revision = revision;
        void this.save();
      } else localStorage.removeItem(this.key);
    }
    this.box.addEventListener("input", () => this.typed());
    addEventListener("online", () => void this.save());
    addEventListener("pagehide", () => void this.save(true));
  }

  private get key(): string {
    return `bedside-note-${this.dataset["visit"]}`;
  }

  private typed(): void {
    // Time-based, so that two pages of the same writer never give two texts one number.
    this.revision = Math.max(this.revision + 1, Date.now());
    localStorage.setItem(this.key, JSON.stringify({ revision: this.revision, text: this.box?.value ?? "" }));
    this.say("saving");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.save(), PAUSE);
  }

  private async save(leaving = false): Promise<void> {
    clearTimeout(this.timer);
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
        localStorage.removeItem(this.key);
        this.say("saved");
      }
    } catch {
      this.say("not_saved");
      this.timer = setTimeout(() => void this.save(), 3000);
    }
  }

  private say(key: string): void {
    const line = this.querySelector("[data-saved]");
    if (line) line.textContent = this.words[key] ?? key;
  }
}

customElements.define("note-pad", NotePad);
