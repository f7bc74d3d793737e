// <aging-values>: a chart that stays open. Ages go on, a value past its limit greys and says so, and a score one of whose
// inputs has grown too old is no score any more. data-words: ages as every page writes them, in the reader's language.

const TICK = 1_000;
const DAY = 86_400;

class AgingValues extends HTMLElement {
  private words: Record<string, string> = {};
  private timer = 0;

  connectedCallback(): void {
    this.words = JSON.parse(this.dataset["words"] ?? "{}") as Record<string, string>;
    this.timer = window.setInterval(() => this.age(), TICK);
  }

  disconnectedCallback(): void {
    window.clearInterval(this.timer);
  }

  private age(): void {
    const now = Date.now();
    for (const time of this.querySelectorAll("time")) {
      const seconds = Math.max(0, Math.round((now - Date.parse(time.dateTime)) / 1000));
      if (seconds >= DAY) continue;
      const [n, word] = seconds < 60 ? [seconds, "s"] : seconds < 3600 ? [Math.floor(seconds / 60), "min"] : [Math.floor(seconds / 3600), "h"];
      time.textContent = seconds < 5 ? (this.words["now"] ?? "") : (this.words[word] ?? "").replace("%(n)s", String(n));
    }
    for (const reading of this.querySelectorAll<HTMLElement>("[data-stale-at]")) {
      const stale = now > Date.parse(reading.dataset["staleAt"] ?? "");
      reading.classList.toggle("reading-stale", stale);
      const old = reading.querySelector<HTMLElement>("[data-old]");
      if (old) old.hidden = !stale;
    }
    const score = this.querySelector<HTMLElement>("[data-until]");
    const after = this.querySelector<HTMLElement>("[data-after]");
    if (!score || !after) return;
    score.hidden = now > Date.parse(score.dataset["until"] ?? "");
    after.hidden = !score.hidden;
  }
}

customElements.define("aging-values", AgingValues);
