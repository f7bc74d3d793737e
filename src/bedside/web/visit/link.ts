// The signalling socket of a visit: says hello again after every loss, under the same connection id, and knows within
// seconds when it is dead (a WebSocket on a lost address goes on saying OPEN). What somebody wrote is kept until the
// server has said it back: a socket takes a line that nobody reads any more, and says nothing.

export type Moment = { t: string; [key: string]: unknown };

const LOOK_EVERY = 1000;
/** Looks between two words that somebody is here. */
const HERE = 6;
/** ms that a ping may go unanswered, and that a new link may take; each time in vain it is given longer. A machine that
    is gone is found out at once, and a slow network is not cut for ever. */
const ANSWERS_WITHIN = [3500, 7000, 12000];
const OPENS_WITHIN = [3000, 6000, 12000];
/** ms of a link after which the next one is given the shortest time again. */
const STEADY = 30000;
/** After which a line that did not come back is sent again: by its id it is kept once. */
const REPEAT = 3000;

export class Link extends EventTarget {
  /** In the order of time, so that of one person's pages everybody knows the newest. */
  readonly connection = `${Date.now().toString(36).padStart(9, "0")}-${crypto.randomUUID()}`;
  private socket: WebSocket | undefined;
  /** When this link was begun, and when it said welcome. */
  private begun = 0;
  /** The first ping that was not answered yet; 0: none. */
  private asked = 0;
  private tries = 0;
  /** Links in a row that never opened, and those that fell silent. */
  private vain = 0;
  private silent = 0;
  private looks = 0;
  /** What could not be said while the link was away. */
  private unsaid: Moment[] = [];
  /** Lines of chat that have not come back yet, by their ids, and when each was sent last. */
  private written = new Map<string, { line: Moment; at: number }>();
  private welcome = false;
  /** Whether the page still looks for others: then it says again that it is here. */
  alone = true;
  private closed = false;
  private timer: number | undefined;
  private later: number | undefined;

  constructor(private readonly url: string) {
    super();
    addEventListener("online", () => this.again());
    this.timer = setInterval(() => this.look(), LOOK_EVERY);
    this.open();
  }

  send(moment: Moment): void {
    if (moment.t === "chat") this.written.set(moment["id"] as string, { line: moment, at: performance.now() });
    if (this.welcome && this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(moment));
    else if (moment.t === "signal") this.unsaid = [...this.unsaid.slice(-200), moment];
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    clearTimeout(this.later);
    this.socket?.close();
  }

  private open(): void {
    clearTimeout(this.later);
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.begun = performance.now();
    this.asked = 0;
    this.welcome = false;
    socket.onopen = () => socket.send(JSON.stringify({ t: "hello", connection: this.connection }));
    socket.onmessage = (event) => {
      this.asked = 0;
      const moment = JSON.parse(event.data as string) as Moment;
      if (moment.t === "pong") return;
      // Said back, or refused for good.
      if (moment.t === "chat" || moment.t === "refused") this.written.delete(moment["id"] as string);
      if (moment.t === "welcome") {
        this.tries = this.vain = 0;
        this.welcome = true;
        this.begun = performance.now();
        for (const line of moment["chat"] as Moment[]) this.written.delete(line["id"] as string);
      }
      this.dispatchEvent(new CustomEvent("moment", { detail: moment }));
      if (moment.t !== "welcome") return;
      for (const late of this.unsaid.splice(0)) this.send(late);
      this.repeat(0);
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      if (event.code === 4403) this.close();
      else this.lost();
    };
  }

  private look(): void {
    const now = performance.now();
    if (this.welcome && now - this.begun > STEADY) this.silent = 0;
    const dead = this.asked > 0 && now - this.asked > (ANSWERS_WITHIN[this.silent] ?? 12000);
    const vain = !this.welcome && now - this.begun > (OPENS_WITHIN[this.vain] ?? 12000);
    if (this.socket && (dead || vain)) {
      if (dead) this.silent += 1;
      else this.vain += 1;
      this.again();
      return;
    }
    if (this.welcome) {
      this.asked ||= now;
      this.send({ t: "ping", n: Math.round(now) });
      this.repeat(REPEAT);
    }
    this.looks += 1;
    if (this.alone && this.looks % HERE === 0) this.send({ t: "here" });
  }

  /** Lines that were sent so long ago (ms) and did not come back. */
  private repeat(after: number): void {
    for (const { line, at } of [...this.written.values()]) if (performance.now() - at >= after) this.send(line);
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
    this.later = window.setTimeout(() => this.open(), Math.min(3000, 300 * 2 ** this.tries) * (0.7 + 0.6 * Math.random()));
  }
}
