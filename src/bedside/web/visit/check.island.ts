// <device-check>: before a visit, does the camera see, does the microphone hear, is there a way to the clinic.
import "./check.css";
import { absent } from "./absent";
import { meter, open } from "./devices";

class DeviceCheck extends HTMLElement {
  private words: Record<string, string> = {};

  connectedCallback(): void {
    this.words = JSON.parse(this.dataset["words"] ?? "{}") as Record<string, string>;
    void this.check();
    this.querySelector("[data-again]")?.addEventListener("click", () => void this.check());
  }

  private async check(): Promise<void> {
    if (absent()) {
      // <right-browser> beside it says what to do.
      this.hidden = true;
      document.querySelector("[data-join]")?.setAttribute("hidden", "");
      return;
    }
    const { stream, trouble } = await open({});
    const video = this.querySelector("video");
    if (video) {
      // For a stream without tracks the browser would go on loading the page for ever.
      video.srcObject = stream.getTracks().length ? stream : null;
      void video.play().catch(() => undefined);
    }
    this.say("camera", stream.getVideoTracks().length ? "camera_works" : `trouble_${trouble}`);
    if (!stream.getAudioTracks().length) this.say("microphone", `trouble_${trouble}`);
    else {
      this.say("microphone", "speak");
      const bar = this.querySelector<HTMLMeterElement>("meter");
      meter(stream, (level) => {
        if (bar) bar.value = level;
        if (level > 0.08) this.say("microphone", "microphone_works");
      });
    }
    await this.connection();
  }

  /** Three small requests: how long an answer takes says enough to choose words. */
  private async connection(): Promise<void> {
    try {
      const times: number[] = [];
      for (let n = 0; n < 3; n += 1) {
        const began = performance.now();
        await fetch("/healthz", { cache: "no-store" });
        times.push(performance.now() - began);
      }
      const middle = times.sort((a, b) => a - b)[1] ?? 0;
      this.say("connection", middle < 300 ? "connection_good" : middle < 1200 ? "connection_slow" : "connection_poor");
    } catch {
      this.say("connection", "connection_none");
    }
  }

  private say(what: string, key: string): void {
    const line = this.querySelector(`[data-says="${what}"]`);
    if (line) line.textContent = this.words[key] ?? key;
  }
}

customElements.define("device-check", DeviceCheck);
