// What the other side writes, as captions: the last two lines, each long enough to be read slowly. They stay in the chat.

const LINES = 2;
const LEAST = 10_000;
/** Milliseconds a character: about 100 words a minute, half the speed of subtitles, since the reader may be old or ill. */
const PACE = 110;

export class Captions {
  constructor(private readonly place: HTMLElement) {}

  say(text: string): void {
    const line = document.createElement("p");
    line.textContent = text;
    this.place.append(line);
    while (this.place.children.length > LINES) this.place.firstElementChild?.remove();
    this.place.scrollTop = this.place.scrollHeight;
    setTimeout(() => line.remove(), Math.max(LEAST, text.length * PACE));
  }
}
