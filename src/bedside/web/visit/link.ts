// The signalling socket of a visit: says hello again after every loss, under the same connection id, and knows within
// seconds when it is dead (a WebSocket on a lost address goes on saying OPEN).

export type Moment = { t: string; [key: string]: unknown };

const PING_EVERY = 2000;
const DEAD_AFTER = 7000;

export class Link extends EventTarget {
  /** In the order of time, so that of one person's pages everybody knows the newest. */
  readonly connection = `${Date.now().toString(36).padStart(9, "0")}-${crypto.randomUUID()}`;
  private socket: WebSocket | undefined;
  private heard = 0;
  private tries = 0;
  private beats = 0;
  /** What could not be said while the link was away. */
  private unsaid: Moment[] = [];
  private welcome = false;
  /** Whether the page still looks for others: then it says again that it is here. */
  alone = true;
  private closed = false;
  private timer: number | undefined;

  constructor(private readonly url: string) {
    super();
    addEventListener("online", () => this.again());
    this.timer = setInterval(() => this.beat(), PING_EVERY);
    this.open();
  }

  send(moment: Moment): void {
    if (this.welcome && this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(moment));
    else if (moment.t === "signal" || moment.t === "chat") this.unsaid = [...this.unsaid.slice(-200), moment];
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    this.socket?.close();
  }

  private open(): void {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.heard = performance.now();
    this.welcome = false;
    socket.onopen = () => socket.send(JSON.stringify({ t: "hello", connection: this.connection }));
    socket.onmessage = (event) => {
      this.heard = performance.now();
      const moment = JSON.parse(event.data as string) as Moment;
      if (moment.t === "pong") return;
      if (moment.t === "welcome") {
        this.tries = 0;
        this.welcome = true;
      }
      this.dispatchEvent(new CustomEvent("moment", { detail: moment }));
      if (moment.t === "welcome") for (const late of this.unsaid.splice(0)) this.send(late);
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      if (event.code === 4403) this.close();
      else this.lost();
    };
  }

  private beat(): void {
    if (performance.now() - this.heard > DEAD_AFTER) this.again();
    else {
      this.send({ t: "ping", n: Math.round(performance.now()) });
      this.beats += 1;
      if (this.alone && this.beats % 3 === 0) this.send({ t: "here" });
    }
  }

  /** The socket is no good, whatever it says: a new one at once. */
  private again(): void {
    if (this.closed) return;
    const old = this.socket;
    this.socket = undefined;
    if (old) {
      old.onclose = old.onmessage = null;
      old.close();
    }
    this.dispatchEvent(new Event("lost"));
    this.open();
  }

  private lost(): void {
    if (this.closed) return;
    this.dispatchEvent(new Event("lost"));
    this.tries += 1;
    setTimeout(() => this.open(), Math.min(3000, 300 * 2 ** this.tries) * (0.7 + 0.6 * Math.random()));
  }
}
