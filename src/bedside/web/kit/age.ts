// How old a value is, in the words of every page (kit/written.py, `age`), by the server's clock: a browser's may be hours
// wrong, and a value too old would pass for fresh.

const HOURS_UNTIL = 48 * 3600;
const DAYS_UNTIL = 60 * 86_400;

export class Ages {
  private readonly words: Record<string, string>;
  private readonly ahead: number;

  /** element: with data-words (ages as templates) and data-now (the server's time as the page was made). */
  constructor(element: HTMLElement) {
    this.words = JSON.parse(element.dataset["words"] ?? "{}") as Record<string, string>;
    this.ahead = Date.parse(element.dataset["now"] ?? "") - Date.now();
  }

  /** Milliseconds since a moment (ISO 8601); below zero before it. */
  since(moment: string): number {
    return Date.now() + this.ahead - Date.parse(moment);
  }

  /** null from sixty days on: what the server wrote stays true. */
  said(moment: string): string | null {
    const seconds = Math.floor(this.since(moment) / 1000);
    if (seconds < 5) return this.words["now"] ?? "";
    if (seconds >= DAYS_UNTIL) return null;
    const [n, word] =
      seconds < 60 ? [seconds, "s"]
      : seconds < 3600 ? [seconds / 60, "min"]
      : seconds < HOURS_UNTIL ? [seconds / 3600, "h"]
      : [seconds / 86_400, "d"];
    return (this.words[word] ?? "").replace("%(n)s", String(Math.floor(n)));
  }
}
