// <visit-watch>: brings the page up to date when the visit moves, unless somebody is writing on it.

class VisitWatch extends HTMLElement {
  private socket: WebSocket | undefined;
  private timer: number | undefined;

  connectedCallback(): void {
    this.open();
    this.timer = setInterval(() => {
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send("{}");
      else if (this.socket?.readyState !== WebSocket.CONNECTING) this.open();
    }, 3000);
  }

  disconnectedCallback(): void {
    clearInterval(this.timer);
    this.socket?.close();
  }

  private open(): void {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/visits/${this.dataset["visit"]}/live`);
    this.socket.onmessage = (event) => {
      const said = JSON.parse(event.data as string) as { t: string };
      const written = [...document.querySelectorAll<HTMLInputElement>("main input, main textarea")].some((box) => box.value && box.type !== "hidden");
      if (said.t === "visit" && !written) location.reload();
    };
  }
}

customElements.define("visit-watch", VisitWatch);
