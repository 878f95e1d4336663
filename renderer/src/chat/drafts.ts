// Owns what was typed and not sent yet, one text a conversation, kept over a reload.

const PREFIX = 'millrace-draft:';

/** `id`: of the conversation, or `new` for one in which nothing was said yet. */
export const readDraft = (id: string): string => localStorage.getItem(PREFIX + id) ?? '';

/** A draft that the browser has no room for lasts until the page is left. */
export function writeDraft(id: string, text: string): void {
  try {
    if (text === '') localStorage.removeItem(PREFIX + id);
    else localStorage.setItem(PREFIX + id, text);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}
