// Draws the wall's live waveforms: one canvas a trace, swept from left to right with a bar that wipes what is old, as a
// bedside monitor does. Time is true: a sample stands where its device's clock puts it, a gap stays a gap, and what does
// not come is said in words. Each trace holds fourteen seconds and never more.

const WINDOW = 4; // s across a trace
const BREATHS = 12; // the same of a respiration, which is slower
const KEPT = 14; // s in mind
const BAR = 0.06; // of the width, wiped ahead of the newest
const SILENT = 5_000; // ms without a sample, after which a trace says so
const MARGIN = 120; // ms of signal that should be left when the next comes
const FRAME = 1000 / 24; // ms between two pictures, as in a film: the sweep moves two pixels meanwhile
const EARLY = 8; // ms before which the page is asked for its next picture, so that it is not one picture later
const STILL = 1_000; // the same for whoever asked for less motion
const NOTHING = -32768;
const COLOURS: [RegExp, string][] = [
  [/^heart/, "#7fd6a0"],
  [/^spo2/, "#8fb8ff"],
  [/^systolic/, "#d9a6dc"],
  [/./, "#c9c4b4"],
];

/** One lead of one bed. */
class Trace {
  readonly element = document.createElement("span");
  heard = performance.now();
  #canvas = document.createElement("canvas");
  #word = document.createElement("span");
  #values = new Float32Array(0); // by sample number modulo its length; NaN: none
  #off = new Uint8Array(0); // 1: sampled with the lead off
  #hz = 0;
  #next = -1; // number of the sample that would come next
  #end = -1; // the same after the piece that came last
  #ahead = 0; // ms: device time shown now, less performance.now()
  #slack = Number.POSITIVE_INFINITY; // ms: the least that was left when something came, since it was last looked at
  #looked = 0;
  #drawn = Number.NaN; // device time up to which the picture is drawn, ms
  #low = 0;
  #high = 0;
  #colour: string;
  #window: number; // ms across
  #wide = 0; // px of the page
  #tall = 0;
  // Asked of the layout at each picture, these cost as much as the drawing.
  #sized = new ResizeObserver(([seen]) => {
    this.#wide = seen?.contentRect.width ?? 0;
    this.#tall = seen?.contentRect.height ?? 0;
  });

  constructor(
    metric: string,
    display: string,
    private readonly span: number,
  ) {
    this.#colour = COLOURS.find(([fits]) => fits.test(metric))?.[1] ?? "#c9c4b4";
    this.#window = 1000 * (metric === "respiratory-rate" ? BREATHS : WINDOW);
    this.element.className = "live-trace";
    this.#word.className = "live-word";
    const name = document.createElement("span");
    name.className = "live-name";
    name.textContent = display;
    this.element.append(this.#canvas, name, this.#word);
    this.#sized.observe(this.element);
  }

  /** Samples that came: t in ms of the device's clock. */
  take(t: number, hz: number, k: number, o: number, off: number[], raw: DataView): void {
    const now = performance.now();
    if (hz !== this.#hz) {
      this.#hz = hz;
      this.#values = new Float32Array(Math.ceil(KEPT * hz)).fill(Number.NaN);
      this.#off = new Uint8Array(this.#values.length);
      this.#next = -1;
    }
    const length = this.#values.length;
    const count = raw.byteLength / 2;
    let first = Math.round((t * hz) / 1000);
    // A clock's fraction of a sample is no gap.
    if (this.#next >= 0 && Math.abs(first - this.#next) <= 2) first = this.#next;
    if (this.#next < 0 || first - this.#next > length || this.#next - first > length) {
      this.#values.fill(Number.NaN);
      this.#off.fill(0);
      this.#next = first;
    }
    const left = (this.#next * 1000) / hz - (now + this.#ahead);
    for (let n = this.#next; n < first; n++) this.#put(n, Number.NaN, 0);
    for (let n = 0; n < count; n++) {
      const value = raw.getInt16(2 * n, true);
      this.#put(first + n, value === NOTHING ? Number.NaN : k * value + o, 0);
    }
    for (let pair = 0; pair < off.length; pair += 2)
      for (let n = off[pair] ?? 0; n <= (off[pair + 1] ?? -1); n++) this.#put(first + n, Number.NaN, 1);
    this.#end = first + count;
    this.#next = Math.max(this.#next, this.#end);
    this.heard = now;
    this.#keepTime(now, left, (count * 1000) / hz);
  }

  /** After a frame: a device's clock that was set back begins anew, or what was drawn would be drawn again. */
  settle(): void {
    if (this.#next - this.#end <= this.#hz) return;
    this.#values.fill(Number.NaN);
    this.#off.fill(0);
    this.#next = -1;
    this.#drawn = Number.NaN;
    this.#ahead = Number.NaN;
  }

  #put(n: number, value: number, off: number): void {
    const at = n % this.#values.length;
    this.#values[at] = value;
    this.#off[at] = off;
  }

  /** As little behind as the link allows: back at once when the signal ran out, forward gently when much is left. */
  #keepTime(now: number, left: number, piece: number): void {
    const end = (this.#next * 1000) / this.#hz;
    if (!(left > -2_000 && end - (now + this.#ahead) < 6_000)) {
      this.#ahead = end - piece - MARGIN - now;
      this.#drawn = Number.NaN;
      this.#slack = Number.POSITIVE_INFINITY;
      return;
    }
    this.#slack = Math.min(this.#slack, left);
    if (this.#slack < 0) {
      this.#ahead += this.#slack - MARGIN;
      this.#slack = Number.POSITIVE_INFINITY;
    } else if (now - this.#looked > 5_000) {
      if (this.#slack > 2 * MARGIN && this.#slack < 60_000) this.#ahead += Math.min(this.#slack - MARGIN, 100);
      this.#slack = Number.POSITIVE_INFINITY;
      this.#looked = now;
    }
  }

  /** The picture as it should be now. words: what is said of a lead that is off, and of silence. */
  draw(now: number, words: { off: string; silent: string; s: string }): void {
    const quiet = now - this.heard;
    this.#say(now, quiet, words);
    const pixels = this.#canvas;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.#wide * ratio);
    const height = Math.round(this.#tall * ratio);
    if (!width || !height || !this.#hz) return;
    if (pixels.width !== width || pixels.height !== height) {
      pixels.width = width;
      pixels.height = height;
      this.#drawn = Number.NaN;
    }
    const brush = pixels.getContext("2d");
    if (!brush) return;
    const to = now + this.#ahead;
    if (Number.isNaN(to)) return;
    const whole = this.#window;
    if (to < this.#drawn) return; // the clock was set back: what is drawn stays until it is reached
    const turned = Math.floor(to / whole) !== Math.floor(this.#drawn / whole);
    let from = this.#drawn;
    if ((turned && this.#range()) || !(to - from < whole - BAR * this.#window)) {
      if (Number.isNaN(from)) this.#range();
      from = to - whole + BAR * this.#window;
      brush.clearRect(0, 0, width, height);
    }
    this.#drawn = to;
    const scale = width / whole;
    this.#wipe(brush, from, to + BAR * this.#window, scale, width, height);
    this.#line(brush, from, to, scale, width, height, ratio);
  }

  #wipe(brush: CanvasRenderingContext2D, from: number, to: number, scale: number, width: number, height: number): void {
    const a = (from % this.#window) * scale;
    const b = a + (to - from) * scale;
    brush.clearRect(a, 0, Math.min(b, width) - a, height);
    if (b > width) brush.clearRect(0, 0, b - width, height);
  }

  #line(brush: CanvasRenderingContext2D, from: number, to: number, scale: number, width: number, height: number, ratio: number): void {
    const whole = this.#window;
    const step = 1000 / this.#hz;
    const room = Math.max(this.#high - this.#low, this.span);
    const middle = (this.#high + this.#low) / 2;
    const last = Math.min(Math.floor(to / step), this.#next - 1);
    brush.strokeStyle = this.#colour;
    brush.lineWidth = 1.5 * ratio;
    brush.lineJoin = "round";
    brush.beginPath();
    let down = false;
    let before = 0;
    // One sample back, so that this stroke begins where the last one ended.
    for (let n = Math.max(Math.floor(from / step) - 1, this.#next - this.#values.length + 1); n <= last; n++) {
      const value = this.#values[n % this.#values.length] ?? Number.NaN;
      const x = ((n * step) % whole) * scale;
      if (Number.isNaN(value) || x < before) down = false;
      if (!Number.isNaN(value)) {
        const y = Math.min(Math.max(height / 2 - ((value - middle) / room) * (height - 4 * ratio), 1), height - 1);
        if (down) brush.lineTo(x, y);
        else brush.moveTo(x, y);
        down = true;
      }
      before = x;
    }
    brush.stroke();
  }

  /** Fit the height to what came of late; whether it changed so much that all is drawn anew. */
  #range(): boolean {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const value of this.#values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (low > high) return false;
    const room = Math.max(this.#high - this.#low, this.span);
    if (Math.abs(low - this.#low) < room / 8 && Math.abs(high - this.#high) < room / 8) return false;
    this.#low = low;
    this.#high = high;
    return true;
  }

  #say(now: number, quiet: number, words: { off: string; silent: string; s: string }): void {
    const at = Math.floor(((now + this.#ahead) * this.#hz) / 1000);
    const held = this.#hz > 0 && at < this.#next && this.#next - at < this.#values.length;
    const off = held && this.#off[at % this.#off.length] === 1;
    const silent = quiet >= SILENT;
    const text = silent ? `${words.silent} ${Math.floor(quiet / 1000)} ${words.s}` : off ? words.off : "";
    if (this.#word.textContent !== text) this.#word.textContent = text;
    this.element.classList.toggle("is-silent", silent);
  }
}

export class Waves {
  frames = 0; // pictures drawn since the start
  #traces = new Map<string, Trace>();
  #drawing = false;
  #due = 0; // when the next picture is, by performance.now
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(private readonly words: { off: string; silent: string; s: string }) {}

  /** Draw for as long as there is a trace; between two pictures the page has no work. */
  #draw(): void {
    this.#drawing = this.#traces.size > 0;
    if (!this.#drawing) return;
    const now = performance.now();
    // From when the last one was due, not from when it came: a screen shows it up to a turn of its own later.
    this.#due = Math.max(this.#due, now - FRAME) + (this.#still.matches ? STILL : FRAME);
    setTimeout(() => {
      requestAnimationFrame(() => {
        for (const trace of this.#traces.values()) if (trace.element.isConnected) trace.draw(performance.now(), this.words);
        this.frames += 1;
        this.#draw();
      });
    }, this.#due - now - EARLY);
  }

  /** Put the traces into a tile that was made anew; they go on where they were. */
  adopt(tile: HTMLElement): void {
    for (const place of tile.querySelectorAll<HTMLElement>("[data-lead]")) {
      const key = `${tile.dataset.patient}/${place.dataset.lead}`;
      let trace = this.#traces.get(key);
      if (!trace) {
        trace = new Trace(place.dataset.metric ?? "", place.dataset.display ?? "", Number(place.dataset.span) || 1);
        this.#traces.set(key, trace);
      }
      place.replaceChildren(trace.element);
    }
    if (!this.#drawing) this.#draw();
  }

  /** Traces whose tile has gone, or no longer has a place for them, are forgotten. */
  tidy(): void {
    for (const [key, trace] of this.#traces) if (!trace.element.isConnected) this.#traces.delete(key);
  }

  /** A frame from the server (traces.py says what is in it). */
  take(frame: ArrayBuffer): void {
    const view = new DataView(frame);
    if (view.getUint8(0) !== 0x42 || view.getUint8(1) !== 0x57 || view.getUint8(2) !== 1) return;
    const beds = view.getUint32(4, true);
    const touched = new Set<Trace>();
    let at = 16;
    for (let bed = 0; bed < beds; bed++) {
      const length = view.getUint8(at);
      const patient = new TextDecoder().decode(new Uint8Array(frame, at + 1, length));
      const pieces = view.getUint8(at + 1 + length);
      at += 2 + length;
      for (let n = 0; n < pieces; n++) {
        const lead = view.getUint8(at);
        const offs = view.getUint8(at + 1);
        const samples = view.getUint16(at + 2, true);
        const [t, hz, k, o] = [4, 12, 20, 28].map((place) => view.getFloat64(at + place, true)) as [number, number, number, number];
        at += 36;
        const off: number[] = [];
        for (let pair = 0; pair < 2 * offs; pair++, at += 2) off.push(view.getUint16(at, true));
        const trace = this.#traces.get(`${patient}/${lead}`);
        trace?.take(t, hz, k, o, off, new DataView(frame, at, 2 * samples));
        if (trace) touched.add(trace);
        at += 2 * samples;
      }
    }
    for (const trace of touched) trace.settle();
  }
}
