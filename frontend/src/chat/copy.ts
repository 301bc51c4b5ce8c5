/** Puts text on the clipboard. False when the browser refuses, as it does without HTTPS in some. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
