// Copies text to the clipboard, also where the browser withholds its clipboard: on a plain HTTP address of another machine.

/** False when the browser allows neither way. Call it from a click or a key. */
export async function copyText(text: string): Promise<boolean> {
  // Absent outside of a secure context, whatever the types say.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard === undefined) return copyBySelection(text);
  return clipboard.writeText(text).then(
    () => true,
    () => copyBySelection(text),
  );
}

/** NOTE: `execCommand` is deprecated and everywhere; it copies what is selected, so the text is selected where nobody sees it. */
function copyBySelection(text: string): boolean {
  const before = document.activeElement;
  const box = document.createElement('textarea');
  box.value = text;
  box.readOnly = true;
  box.className = 'sr-only';
  // A modal dialog lets nothing outside of it have the focus.
  (before?.closest('dialog') ?? document.body).append(box);
  box.select();
  const copied = document.execCommand('copy');
  box.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}
