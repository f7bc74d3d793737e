// A patient's alarms in a dialog over the wall: opened by press or key, answered in place, and kept true while it is open.
import { Idiomorph } from "idiomorph";

const UNDO = 30_000; // ms in which an answer can be taken back; the server keeps the time

/** Opened by somebody, drawn anew since something changed, or since an answer was taken or refused. */
type Why = "asked" | "changed" | "answered";

/** Whether a field holds what somebody chose or typed, and not what the server put there. */
function touched(node: Node): boolean {
  if (node instanceof HTMLSelectElement) {
    const first = [...node.options].find((option) => option.defaultSelected) ?? node.options[0];
    return node.selectedOptions[0] !== first;
  }
  if (node instanceof HTMLInputElement) return node.value !== node.defaultValue || node.checked !== node.defaultChecked;
  return node instanceof HTMLTextAreaElement && node.value !== node.defaultValue;
}

/** What the page does to itself, and the server does not know of: a fold that was opened or closed, a passkey's button that
 * was shown, why an answer was refused, who somebody said they are. answered: then the server says what stands open, since
 * that is what may be done next, and fields are empty again. */
const keep = (answered: boolean) => ({
  beforeAttributeUpdated: (name: string) => name !== "open" || answered,
  beforeNodeMorphed: (node: Node) =>
    !(node instanceof HTMLElement && node.matches("bedside-passkey, [data-told]")) && (answered || !touched(node)),
});

export class Panel {
  readonly #dialog: HTMLDialogElement;
  #patient = "";
  #asked = 0; // how often the server was asked, and of which time what is shown is
  #shown = 0;
  #answered = { alarm: "", patient: "", until: 0 }; // what can still be taken back

  /** closed: called with the patient whose panel it was. */
  constructor(dialog: HTMLDialogElement, closed: (patient: string) => void) {
    this.#dialog = dialog;
    dialog.onclose = () => {
      const patient = this.#patient;
      this.#patient = "";
      closed(patient);
    };
    dialog.onclick = (event) => {
      if ((event.target as Element).closest("[data-close]")) dialog.close();
    };
    dialog.onsubmit = (event) => {
      event.preventDefault();
      void this.#send(event.target as HTMLFormElement, event.submitter as HTMLButtonElement | null);
    };
  }

  open(patient: string): Promise<void> {
    return this.#draw(patient, "asked");
  }

  /** Open it with the focus on an answer: its button, or the first field of the fold that it stands on. */
  async openAt(patient: string, answer: "acknowledge" | "pause"): Promise<void> {
    await this.open(patient);
    const found = this.#dialog.querySelector<HTMLElement>(`[data-${answer}]`);
    const fold = found?.closest("summary")?.parentElement;
    if (fold instanceof HTMLDetailsElement) fold.open = true;
    (fold?.querySelector<HTMLElement>("select") ?? found)?.focus();
  }

  /** The patient's tile changed: if it is theirs, it is drawn anew. */
  changed(patient: string): void {
    if (patient === this.#patient) void this.#draw(patient, "changed");
  }

  /** What somebody is typing, shows a passkey for, or is told was wrong is not replaced under their hands. */
  #busy(): boolean {
    const busy = ":is(input, textarea, select):focus, bedside-passkey[data-busy], .wrong:not([hidden], [data-told])";
    return this.#dialog.querySelector(busy) !== null;
  }

  async #draw(patient: string, why: Why): Promise<void> {
    const dialog = this.#dialog;
    if (why === "changed" && this.#busy()) return;
    const asked = ++this.#asked;
    const left = Math.round((this.#answered.until - Date.now()) / 1000);
    const undo = this.#answered.patient === patient && left > 0 ? `?undo=${encodeURIComponent(this.#answered.alarm)}&left=${left}` : "";
    const answer = await fetch(`/wall/patient/${encodeURIComponent(patient)}${undo}`, { headers: { accept: "text/html" } });
    const page = await answer.text(); // our own, escaped by our own server
    // Closed meanwhile, or of somebody else by now: it does not come back by itself.
    if (why !== "asked" && (!dialog.open || this.#patient !== patient)) return;
    // An answer that was overtaken by a later one is of the past.
    if (why === "changed" && (this.#busy() || asked < this.#shown)) return;
    this.#shown = Math.max(this.#shown, asked);
    if (dialog.open && this.#patient === patient) {
      // Only what changed is touched: a focus, a press that has begun, and a history that was opened stay.
      Idiomorph.morph(dialog, page, { morphStyle: "innerHTML", callbacks: keep(why === "answered") });
      if (!dialog.contains(document.activeElement)) dialog.querySelector<HTMLElement>("[data-close]")?.focus();
    } else dialog.innerHTML = page;
    this.#patient = patient;
    if (!dialog.open) dialog.showModal();
  }

  async #send(form: HTMLFormElement, by: HTMLButtonElement | null): Promise<void> {
    const patient = this.#patient;
    const data = new URLSearchParams();
    for (const [name, value] of new FormData(form, by)) data.append(name, String(value));
    const action = new URL(by?.getAttribute("formaction") ?? form.action, location.href).pathname;
    const answer = await fetch(action, { method: "POST", body: data, headers: { accept: "application/json" } });
    if (answer.ok) {
      const [, , alarm, what] = action.split("/");
      const back = what === "acknowledge" || what === "false-alarm" ? UNDO : 0;
      this.#answered = { alarm: alarm ?? "", patient, until: Date.now() + back };
      return this.#draw(patient, "answered");
    }
    const said = (await answer.json().catch(() => ({}))) as { error?: string; remedy?: string };
    if (answer.status === 409) {
      // It was answered, or went on, meanwhile: what can be done now is shown with the reason.
      await this.#draw(patient, "answered");
      return this.#say("[data-told]", said.error ?? "");
    }
    form.querySelector("bedside-passkey")?.dispatchEvent(new Event("refused"));
    const words = [said.error, said.remedy].filter(Boolean).join(" ") || String(answer.status);
    this.#say("[data-wrong]", words, form.querySelector("[data-wrong]") ? form : this.#dialog);
  }

  #say(place: string, words: string, within: HTMLElement = this.#dialog): void {
    const line = within.querySelector<HTMLElement>(place);
    if (!line) return;
    line.textContent = words;
    line.hidden = false;
  }
}
