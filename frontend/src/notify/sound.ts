let context: AudioContext | undefined;

/** Two short tones. A browser that wants a click first lets it pass in silence. */
export async function blip(): Promise<void> {
  try {
    context ??= new AudioContext();
    if (context.state === 'suspended') await context.resume();
    tone(context, 660, 0);
    tone(context, 880, 0.11);
  } catch {
    // No sound device, or not allowed: there is the title, too.
  }
}

function tone(audio: AudioContext, hertz: number, delay: number): void {
  const at = audio.currentTime + delay;
  const oscillator = audio.createOscillator();
  const gain = audio.createGain();
  oscillator.frequency.value = hertz;
  // Without a ramp a tone begins and ends with a click.
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(0.12, at + 0.015);
  gain.gain.exponentialRampToValueAtTime(0.001, at + 0.16);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + 0.18);
}
