// <visit-tabs>: the links of a tab row become tabs (WAI-ARIA APG: arrow keys, Home, End) and one part is shown at a time.
// The parts stay in the page, so that a note half written is not lost by looking at the orders.

class VisitTabs extends HTMLElement {
  private tabs: HTMLAnchorElement[] = [];

  connectedCallback(): void {
    const row = this.querySelector(".tab-row");
    if (!row) return;
    row.setAttribute("role", "tablist");
    this.tabs = [...row.querySelectorAll("a")];
    for (const tab of this.tabs) {
      const part = this.panel(tab);
      tab.id = `tab-${part?.id}`;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", part?.id ?? "");
      tab.removeAttribute("aria-current");
      part?.setAttribute("role", "tabpanel");
      part?.setAttribute("aria-labelledby", tab.id);
      tab.addEventListener("click", (event) => {
        event.preventDefault();
        this.show(tab, true);
      });
    }
    row.addEventListener("keydown", (event) => this.moved(event as KeyboardEvent));
    this.show(this.tabs.find((tab) => tab.hash === location.hash) ?? this.tabs[0]);
  }

  private panel(tab: HTMLAnchorElement): HTMLElement | null {
    return this.querySelector(tab.hash);
  }

  /** chosen: by hand, so that a reload comes back to it; on the first showing the address stays, or the page would scroll. */
  private show(shown: HTMLAnchorElement | undefined, chosen = false): void {
    for (const tab of this.tabs) {
      const on = tab === shown;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      const part = this.panel(tab);
      if (part) part.hidden = !on;
    }
    if (shown && chosen) history.replaceState(history.state, "", shown.hash);
  }

  private moved(event: KeyboardEvent): void {
    const at = this.tabs.indexOf(document.activeElement as HTMLAnchorElement);
    const last = this.tabs.length - 1;
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    this.show(this.tabs[to], true);
    this.tabs[to]?.focus();
  }
}

customElements.define("visit-tabs", VisitTabs);
