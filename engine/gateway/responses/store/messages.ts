// What is asked of the thread that keeps stored responses. Types only.
import type { Keeping, StoredResponse } from './response-file.ts';

export interface ResponseWorkerData {
  readonly path: string;
  readonly keeping: Keeping;
}

export type ResponseQuestion =
  | { readonly kind: 'save'; readonly stored: StoredResponse; readonly nowMs: number }
  | { readonly kind: 'find'; readonly tenant: string; readonly id: string; readonly nowMs: number }
  | { readonly kind: 'history'; readonly tenant: string; readonly id: string; readonly most: number; readonly nowMs: number }
  | { readonly kind: 'remove'; readonly tenant: string; readonly id: string; readonly nowMs: number }
  | { readonly kind: 'close' };
