// Camera and microphone: asked for once, and in plain words when they cannot be had.

export type Trouble = "none" | "insecure" | "refused" | "missing" | "busy";

export type Chosen = { camera?: string | undefined; microphone?: string | undefined };

export async function open(chosen: Chosen): Promise<{ stream: MediaStream; trouble: Trouble }> {
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...id(chosen.microphone) };
  const video = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { max: 24 }, ...id(chosen.camera) };
  try {
    return { stream: await navigator.mediaDevices.getUserMedia({ audio, video }), trouble: "none" };
  } catch (error) {
    const trouble = troubleOf(error);
    // Hearing and being heard comes first: a visit without a camera is still a visit.
    try {
      return { stream: await navigator.mediaDevices.getUserMedia({ audio }), trouble };
    } catch {
      return { stream: new MediaStream(), trouble };
    }
  }
}

function id(device: string | undefined): MediaTrackConstraints {
  return device ? { deviceId: { ideal: device } } : {};
}

function troubleOf(error: unknown): Trouble {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "refused";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  return "missing";
}

/** What can be chosen, by kind, as [id, name]. */
export async function choices(kind: MediaDeviceKind): Promise<[string, string][]> {
  const all = await navigator.mediaDevices.enumerateDevices();
  return all.filter((d) => d.kind === kind && d.deviceId).map((d, n) => [d.deviceId, d.label || `${n + 1}`]);
}

/** Calls level(0 to 1) about ten times a second, until the returned function is called. */
export function meter(stream: MediaStream, level: (value: number) => void): () => void {
  if (!stream.getAudioTracks().length) return () => undefined;
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
    level(Math.min(1, power * 6));
  }, 100);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
