// The visit's own moments as the clinician's pages hear them: readings, and its steps. Opened again after every loss.

export type Said = { t: string; readings?: unknown[] };

const EVERY = 3000;

export class Moments {
  private socket: WebSocket | undefined;
  private readonly timer: number;

  /** beat is called every three seconds, link or no link. */
  constructor(
    private readonly visit: string,
    private readonly heard: (said: Said) => void,
    beat: () => void = () => undefined,
  ) {
    this.open();
    this.timer = setInterval(() => {
      beat();
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send("{}");
      else if (this.socket?.readyState !== WebSocket.CONNECTING) this.open();
    }, EVERY);
  }

  close(): void {
    clearInterval(this.timer);
    this.socket?.close();
  }

  private open(): void {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/visits/${this.visit}/live`);
    this.socket.onmessage = (event) => this.heard(JSON.parse(event.data as string) as Said);
  }
}
