// <live-vitals>: the newest values beside the picture. A value says its age, and greys when it is too old.
// data-words, data-now: see kit/age.
import { Ages } from "../kit/age";
import { Moments } from "./moments";

type Live = { metric: string; value: number | string; device_time: string; stale_at?: string; stale?: boolean };

class LiveVitals extends HTMLElement {
  private moments: Moments | undefined;
  private ages: Ages | undefined;

  connectedCallback(): void {
    this.ages ??= new Ages(this);
    const shown = (readings: unknown[]): void => (readings as Live[]).forEach((reading) => this.show(reading));
    this.moments = new Moments(
      this.dataset["visit"] ?? "",
      (said) => shown(said.readings ?? []),
      () => this.age(),
    );
  }

  disconnectedCallback(): void {
    this.moments?.close();
  }

  private show(reading: Live): void {
    const value = this.querySelector<HTMLElement>(`[data-value="${reading.metric}"]`);
    const age = value?.closest(".reading")?.querySelector<HTMLElement>("[data-time]");
    if (!value || !age) return;
    // Late data never stands as the newest.
    const main = value.closest<HTMLElement>("[data-metric]")?.dataset["metric"] === reading.metric;
    if (age.dataset["time"] && reading.device_time < age.dataset["time"]) return;
    value.textContent = String(reading.value);
    if (main) {
      age.dataset["time"] = reading.device_time;
      if (reading.stale_at) age.dataset["staleAt"] = reading.stale_at;
    }
    this.age();
  }

  private age(): void {
    const ages = this.ages;
    if (!ages) return;
    for (const line of this.querySelectorAll<HTMLElement>("[data-time]")) {
      if (!line.dataset["time"]) continue;
      line.textContent = ages.said(line.dataset["time"]) ?? line.textContent;
      const stale = line.dataset["staleAt"];
      line.closest(".reading")?.classList.toggle("reading-stale", !!stale && ages.since(stale) > 0);
      line.closest(".reading")?.classList.remove("reading-none");
    }
  }
}

customElements.define("live-vitals", LiveVitals);
