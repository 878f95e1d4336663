// How a waiting stream is told where it stands: by comments of the event stream, and by headers when it is opened before it runs. Pure.
import type { GenerationProgress } from '../fleet/host.ts';

type Place = Pick<GenerationProgress, 'position' | 'etaMs'>;

/** `: queue position=3 eta_ms=1200`; null once it runs. */
export function placeComment(place: Place | null): string | null {
  if (place === null || place.position === null) return null;
  const eta = place.etaMs === null ? '' : ` eta_ms=${Math.round(place.etaMs)}`;
  return `: queue position=${place.position}${eta}\n\n`;
}

/** None once it runs. */
export function placeHeaders(place: Place | null): Readonly<Record<string, string>> {
  if (place === null || place.position === null) return {};
  const eta = place.etaMs === null ? {} : { 'x-millrace-queue-eta-ms': String(Math.round(place.etaMs)) };
  return { 'x-millrace-queue-position': String(place.position), ...eta };
}
