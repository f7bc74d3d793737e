// <bedside-series>: draws the JSON it holds with uPlot. The table beside it says the same in words and numbers.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

interface Line {
  name: string;
  t: number[];
  v: number[];
  s: string;
  gaps: [number, number][];
  bars: [number, number, number][];
  low: number | null;
  high: number | null;
}
interface Drawing {
  unit: string;
  since: number;
  until: number;
  lines: Line[];
}

const HEIGHT = 200;

class BedsideSeries extends HTMLElement {
  private plot: uPlot | undefined;
  private watch = new ResizeObserver(() => this.fit());
  private scheme = matchMedia("(prefers-color-scheme: dark)");
  private paper = matchMedia("print");
  private redraw = () => this.draw();

  connectedCallback(): void {
    this.draw();
    this.watch.observe(this);
    this.scheme.addEventListener("change", this.redraw);
    // A canvas keeps its pixels: on paper, ink on white must be drawn anew.
    this.paper.addEventListener("change", this.redraw);
  }

  disconnectedCallback(): void {
    this.watch.disconnect();
    this.scheme.removeEventListener("change", this.redraw);
    this.paper.removeEventListener("change", this.redraw);
    this.plot?.destroy();
  }

  private fit(): void {
    if (this.plot && this.clientWidth && this.clientWidth !== this.plot.width) this.plot.setSize({ width: this.clientWidth, height: HEIGHT });
  }

  private draw(): void {
    this.plot?.destroy();
    const source = this.querySelector("script[type='application/json']");
    if (!source?.textContent) return;
    const data = JSON.parse(source.textContent) as Drawing;
    const style = getComputedStyle(this);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const ink = colour("--color-base-content");
    const second = colour("--color-secondary");
    const hairline = colour("--color-base-300");
    const control = colour("--control");
    const band = colour("--tint");
    const ground = colour("--color-base-100");
    const font = `13px ${style.fontFamily}`;
    const [times, columns, sources] = columnsOf(data);

    this.plot = new uPlot(
      {
        width: this.clientWidth || 320,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: true, y: false, drag: { x: false, y: false }, points: { show: false } },
        padding: [12, 12, 0, 0],
        scales: {
          x: { time: true, range: () => [data.since, data.until] },
          y: { range: (_u, low, high) => reach(data.lines, low, high) },
        },
        axes: [
          { stroke: second, font, size: 28, grid: { stroke: hairline, width: 1 }, ticks: { show: false }, values: times24(data) },
          { stroke: second, font, size: 44, grid: { stroke: hairline, width: 1 }, ticks: { show: false } },
        ],
        series: [
          {},
          ...data.lines.map((line, n) => ({
            label: line.name,
            stroke: n === 0 ? ink : second,
            width: 2,
            spanGaps: false,
            points: { show: false },
          })),
        ],
        hooks: {
          drawClear: [(u: uPlot) => limits(u, data.lines, band, control)],
          draw: [(u: uPlot) => bars(u, data.lines, control), (u: uPlot) => dots(u, columns, sources, ink, second, ground)],
          setCursor: [(u: uPlot) => this.tell(u, data, columns)],
        },
      },
      [times, ...columns] as uPlot.AlignedData,
      this,
    );
    this.plot.root.setAttribute("aria-hidden", "true");
  }

  // What stands under the pointer, in words, in the line kept for it.
  private tell(u: uPlot, data: Drawing, columns: (number | null)[][]): void {
    const said = this.parentElement?.querySelector("[data-said]");
    const index = u.cursor.idx;
    if (!said || index == null) return;
    const values = columns.map((column) => column[index]).filter((v) => v != null);
    const time = u.data[0][index];
    if (!values.length || time === undefined) return;
    const when = new Date(time * 1000).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    said.textContent = `${values.join("/")} ${data.unit} · ${when}`;
  }
}

// One time axis for all lines; a null inside each gap breaks the line there.
function columnsOf(data: Drawing): [number[], (number | null)[][], string[][]] {
  const all = new Set<number>();
  for (const line of data.lines) {
    for (const t of line.t) all.add(t);
    for (const [from, to] of line.gaps) all.add((from + to) / 2);
    for (const [t] of line.bars) all.add(t);
  }
  const times = [...all].sort((a, b) => a - b);
  const at = new Map(times.map((t, n) => [t, n]));
  const columns = data.lines.map((line) => {
    const column: (number | null | undefined)[] = new Array(times.length).fill(undefined);
    for (const [from, to] of line.gaps) column[at.get((from + to) / 2) ?? 0] = null;
    line.t.forEach((t, n) => (column[at.get(t) ?? 0] = line.v[n] ?? null));
    return column as (number | null)[];
  });
  const sources = data.lines.map((line) => {
    const column = new Array<string>(times.length).fill("");
    line.t.forEach((t, n) => (column[at.get(t) ?? 0] = line.s[n] ?? "d"));
    return column;
  });
  return [times, columns, sources];
}

function reach(lines: Line[], low: number | null, high: number | null): [number, number] {
  const ends = lines.flatMap((line) => [line.low, line.high, ...line.bars.flatMap(([, a, b]) => [a, b])]).filter((v): v is number => v !== null);
  const lowest = Math.min(low ?? Infinity, ...ends);
  const highest = Math.max(high ?? -Infinity, ...ends);
  if (!Number.isFinite(lowest) || !Number.isFinite(highest)) return [0, 1];
  const air = Math.max((highest - lowest) * 0.08, 1);
  return [lowest - air, highest + air];
}

function limits(u: uPlot, lines: Line[], band: string, edge: string): void {
  const { ctx, bbox } = u;
  ctx.save();
  for (const { low, high } of lines) {
    if (low === null && high === null) continue;
    const top = high === null ? bbox.top : u.valToPos(high, "y", true);
    const bottom = low === null ? bbox.top + bbox.height : u.valToPos(low, "y", true);
    ctx.fillStyle = band;
    ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
    ctx.strokeStyle = edge;
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.lineWidth = devicePixelRatio;
    for (const y of [high === null ? null : top, low === null ? null : bottom]) {
      if (y === null) continue;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
  }
  ctx.restore();
}

// Where readings are no longer kept: from the lowest to the highest of each stretch, in the colour of what is no value.
function bars(u: uPlot, lines: Line[], colour: string): void {
  const { ctx } = u;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2 * devicePixelRatio;
  for (const [time, low, high] of lines.flatMap((line) => line.bars)) {
    const x = u.valToPos(time, "x", true);
    ctx.beginPath();
    ctx.moveTo(x, u.valToPos(low, "y", true) + devicePixelRatio);
    ctx.lineTo(x, u.valToPos(high, "y", true) - devicePixelRatio);
    ctx.stroke();
  }
  ctx.restore();
}

// Sources by shape: a device's value is a filled dot, a typed one a ring, an imported one a square.
function dots(u: uPlot, columns: (number | null)[][], sources: string[][], ink: string, second: string, ground: string): void {
  const { ctx } = u;
  const times = u.data[0];
  ctx.save();
  columns.forEach((column, n) => {
    const crowded = column.filter((v) => v != null).length > 120;
    const size = (crowded ? 1.5 : 3.5) * devicePixelRatio;
    ctx.strokeStyle = ctx.fillStyle = n === 0 ? ink : second;
    ctx.lineWidth = 1.5 * devicePixelRatio;
    column.forEach((value, i) => {
      const time = times[i];
      if (value == null || time === undefined) return;
      const x = u.valToPos(time, "x", true);
      const y = u.valToPos(value, "y", true);
      ctx.beginPath();
      if (sources[n]?.[i] === "i") ctx.rect(x - size, y - size, 2 * size, 2 * size);
      else ctx.arc(x, y, size, 0, 2 * Math.PI);
      if (sources[n]?.[i] === "d") ctx.fill();
      else {
        const kept = ctx.fillStyle;
        ctx.fillStyle = ground;
        ctx.fill();
        ctx.fillStyle = kept;
        ctx.stroke();
      }
    });
  });
  ctx.restore();
}

function times24(data: Drawing): (u: uPlot, splits: number[]) => string[] {
  const span = data.until - data.since;
  const language = document.documentElement.lang;
  const form = new Intl.DateTimeFormat(
    language,
    span <= 2 * 86400
      ? { hour: "2-digit", minute: "2-digit", hour12: false }
      : span <= 90 * 86400
        ? { day: "numeric", month: "short" }
        : { month: "short", year: "numeric" },
  );
  return (_u, splits) => splits.map((t) => form.format(new Date(t * 1000)));
}

customElements.define("bedside-series", BedsideSeries);
