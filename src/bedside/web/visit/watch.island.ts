// <visit-watch>: brings the page up to date when the visit moves, unless somebody is writing on it.
import { Moments, type Said } from "./moments";

class VisitWatch extends HTMLElement {
  private moments: Moments | undefined;

  connectedCallback(): void {
    this.moments = new Moments(this.dataset["visit"] ?? "", (said) => this.heard(said));
  }

  disconnectedCallback(): void {
    this.moments?.close();
  }

  private heard(said: Said): void {
    const boxes = [...document.querySelectorAll<HTMLInputElement>("main input, main textarea")];
    const written = boxes.some((box) => box.value && box.type !== "hidden");
    if (said.t === "visit" && !written) location.reload();
  }
}

customElements.define("visit-watch", VisitWatch);
