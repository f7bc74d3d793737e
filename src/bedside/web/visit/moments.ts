// The visit's own moments as the clinician's pages hear them: readings, and its steps. Opened again after every loss.

export type Said = { t: string; readings?: unknown[] };

const EVERY = 3000;
/** ms without a word, though each is answered: the machine at the other end is gone, and nobody closes the socket. */
const DEAD_AFTER = 5000;

export class Moments {
  private socket: WebSocket | undefined;
  private readonly timer: number;
  private word = 0;

  /** beat is called every three seconds, link or no link. */
  constructor(
    private readonly visit: string,
    private readonly heard: (said: Said) => void,
    beat: () => void = () => undefined,
  ) {
    this.open();
    this.timer = setInterval(() => {
      beat();
      const silent = performance.now() - this.word > DEAD_AFTER;
      if (this.socket?.readyState === WebSocket.OPEN && !silent) this.socket.send("{}");
      else if (this.socket?.readyState === WebSocket.OPEN) this.again();
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
    this.socket.onopen = () => (this.word = performance.now());
    this.socket.onmessage = (event) => {
      this.word = performance.now();
      this.heard(JSON.parse(event.data as string) as Said);
    };
  }

  private again(): void {
    if (this.socket) this.socket.onmessage = null;
    this.socket?.close();
    this.open();
  }
}
