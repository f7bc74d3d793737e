// Alarm sounds after the manner of IEC 60601-1-8: a burst of ten pulses for high priority, three for medium, two for low.
// The standard is paywalled and this is no certified alarm: the wall says that it is a secondary display.

export type Priority = "high" | "medium" | "low";

// Pulse length, starts of the pulses and the pause between two bursts, in seconds; pitch in Hz.
const bursts: Record<Priority, { pulse: number; starts: number[]; every: number; pitch: number[] }> = {
  high: { pulse: 0.12, starts: [0, 0.2, 0.4, 0.75, 0.95, 1.65, 1.85, 2.05, 2.4, 2.6], every: 6, pitch: [523, 523, 523, 659, 784] },
  medium: { pulse: 0.18, starts: [0, 0.4, 0.8], every: 12, pitch: [523, 440, 392] },
  low: { pulse: 0.2, starts: [0, 0.45], every: 30, pitch: [440, 349] },
};

/** The wall's loudspeaker: mute until a gesture has opened it. */
export class Speaker {
  #audio: AudioContext | null = null;
  #timer = 0;
  #playing: Priority | null = null;
  silentUntil = 0;
  /** Bursts begun, for whoever wants to know that it sounded. */
  bursts = 0;

  get allowed(): boolean {
    return this.#audio?.state === "running";
  }

  /** From a gesture: open the loudspeaker and sound a test. False when the browser still says no. */
  async open(): Promise<boolean> {
    this.#audio ??= new AudioContext();
    await Promise.race([this.#audio.resume(), new Promise((done) => setTimeout(done, 500))]);
    if (this.allowed) this.#burst("medium");
    return this.allowed;
  }

  /** Sound this priority until told otherwise; null for none. A worse one breaks a silence. */
  play(priority: Priority | null): void {
    if (priority === this.#playing) return;
    this.#playing = priority;
    clearTimeout(this.#timer);
    if (priority) this.#go();
  }

  silence(seconds: number): void {
    this.silentUntil = Date.now() + seconds * 1000;
  }

  #go(): void {
    const priority = this.#playing;
    if (!priority) return;
    if (this.allowed && Date.now() >= this.silentUntil) this.#burst(priority);
    this.#timer = window.setTimeout(() => this.#go(), bursts[priority].every * 1000);
  }

  #burst(priority: Priority): void {
    const audio = this.#audio;
    if (!audio) return;
    this.bursts += 1;
    const { pulse, starts, pitch } = bursts[priority];
    starts.forEach((start, n) => {
      const at = audio.currentTime + 0.02 + start;
      // A fundamental and four harmonics: heard on small loudspeakers and by ears that have lost the high ones.
      for (const harmonic of [1, 2, 3, 4, 5]) {
        const tone = new OscillatorNode(audio, { frequency: (pitch[n % pitch.length] ?? 523) * harmonic });
        const gain = new GainNode(audio, { gain: 0 });
        gain.gain.setValueAtTime(0, at);
        gain.gain.linearRampToValueAtTime(0.18 / harmonic, at + 0.02);
        gain.gain.setValueAtTime(0.18 / harmonic, at + pulse - 0.02);
        gain.gain.linearRampToValueAtTime(0, at + pulse);
        tone.connect(gain).connect(audio.destination);
        tone.start(at);
        tone.stop(at + pulse + 0.01);
      }
    });
  }
}
