// <visit-watch>: brings the page up to date when the visit moves, unless somebody is at work on it: then as soon as they
// are not any more.
import { Moments, type Said } from "./moments";

class VisitWatch extends HTMLElement {
  private moments: Moments | undefined;
  private moved = false;
  private readonly look = (): void => {
    if (this.moved && !atWork()) location.reload();
  };

  /** Once the next field has the keyboard, where there is one. */
  private readonly later = (): void => void setTimeout(this.look);

  connectedCallback(): void {
    this.moments = new Moments(this.dataset["visit"] ?? "", (said) => this.heard(said));
    // A fold that is closed, a field that is left: toggle does not bubble, so it is caught on its way down.
    document.addEventListener("toggle", this.look, true);
    document.addEventListener("focusout", this.later);
  }

  disconnectedCallback(): void {
    this.moments?.close();
    document.removeEventListener("toggle", this.look, true);
    document.removeEventListener("focusout", this.later);
  }

  private heard(said: Said): void {
    if (said.t !== "visit") return;
    this.moved = true;
    this.look();
  }
}

/** Whether something is written, a fold is open, or a field has the keyboard: what is under a hand is not taken away. */
function atWork(): boolean {
  const boxes = [...document.querySelectorAll<HTMLInputElement>("main input, main textarea")];
  if (boxes.some((box) => (box.value && box.type !== "hidden") || box === document.activeElement)) return true;
  return document.querySelector("main details[open]") !== null;
}

customElements.define("visit-watch", VisitWatch);
