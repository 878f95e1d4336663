// What a server says is wrong with itself.
import type { Banner } from '../../engine/contract.ts';

/** Of one moment of the live feed. */
export async function banners(url: string): Promise<readonly Banner[]> {
  const controller = new AbortController();
  const response = await fetch(`${url}/api/live`, { signal: controller.signal });
  let text = '';
  for await (const bytes of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += bytes;
    if (/data: .*\n\n/.test(text)) break;
  }
  controller.abort();
  return (JSON.parse(/data: (.*)\n\n/.exec(text)?.[1] ?? '{"banners":[]}') as { banners: readonly Banner[] }).banners;
}
