// <aging-values>: a chart that stays open. Ages go on, a value past its limit greys and says so, and a score one of whose
// inputs has grown too old is no score any more. data-words, data-now: see kit/age.
import { Ages } from "../kit/age";

const TICK = 1_000;

class AgingValues extends HTMLElement {
  private ages: Ages | undefined;
  private timer = 0;

  connectedCallback(): void {
    this.ages ??= new Ages(this);
    this.timer = window.setInterval(() => this.age(), TICK);
  }

  disconnectedCallback(): void {
    window.clearInterval(this.timer);
  }

  private age(): void {
    const ages = this.ages;
    if (!ages) return;
    for (const time of this.querySelectorAll("time")) time.textContent = ages.said(time.dateTime) ?? time.textContent;
    for (const reading of this.querySelectorAll<HTMLElement>("[data-stale-at]")) {
      const stale = ages.since(reading.dataset["staleAt"] ?? "") > 0;
      reading.classList.toggle("reading-stale", stale);
      const old = reading.querySelector<HTMLElement>("[data-old]");
      if (old) old.hidden = !stale;
    }
    const score = this.querySelector<HTMLElement>("[data-until]");
    const after = this.querySelector<HTMLElement>("[data-after]");
    if (!score || !after) return;
    score.hidden = ages.since(score.dataset["until"] ?? "") > 0;
    after.hidden = !score.hidden;
  }
}

customElements.define("aging-values", AgingValues);
