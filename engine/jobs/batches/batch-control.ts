// Owns the interface through which files and batches are made, read and steered, and the one by which rows reach models.
// Knows nothing about HTTP or SQLite.
import type { BatchesAnswer, BatchFault, BatchStatusName } from '../../contract.ts';

/** Whose files and batches are meant. */
export interface Owner {
  readonly tenant: string;
  /** Id of the API key; null: whoever is at this machine. */
  readonly keyId: string | null;
  /** May see those of every tenant. */
  readonly seesAll: boolean;
}

export interface BatchFile {
  readonly id: string;
  readonly tenant: string;
  readonly filename: string;
  readonly purpose: 'batch' | 'batch_output';
  readonly bytes: number;
  readonly createdMs: number;
  /** Null: kept until it is deleted. */
  readonly expiresMs: number | null;
  /** Of a file of results: the batch, and which rows it holds; such a file is made of the batch's rows when it is read. */
  readonly results: { readonly batch: string; readonly kind: ResultKind } | null;
}

export type ResultKind = 'output' | 'error';

/** When a batch came into each state; null: it has not. ms since 1970. */
export interface BatchTimes {
  readonly createdMs: number;
  readonly inProgressMs: number | null;
  readonly expiresMs: number;
  readonly finalizingMs: number | null;
  readonly completedMs: number | null;
  readonly failedMs: number | null;
  readonly expiredMs: number | null;
  readonly cancellingMs: number | null;
  readonly cancelledMs: number | null;
}

export interface BatchCharges {
  readonly energyUsd: number;
  readonly hardwareUsd: number;
  readonly upstreamUsd: number;
  readonly premiumUsd: number | null;
  readonly deviceMs: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

export interface Batch extends BatchTimes {
  readonly id: string;
  readonly tenant: string;
  readonly keyId: string | null;
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly filename: string;
  /** As the client spelled it: `24h`. */
  readonly window: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly status: BatchStatusName;
  readonly model: string | null;
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
  readonly faults: readonly BatchFault[];
  /** How long files of results are kept after they are made; null: until they are deleted. */
  readonly outputLifeMs: number | null;
  readonly charges: BatchCharges;
}

export interface PageAsk {
  /** 1 to 10,000. */
  readonly limit: number;
  /** Id of the last one of the page before; null: the first page. */
  readonly after: string | null;
  readonly order: 'asc' | 'desc';
}

export interface Page<T> {
  readonly entries: readonly T[];
  readonly hasMore: boolean;
}

export interface BatchWish {
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly window: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly outputLifeMs: number | null;
}

/** Bytes that have arrived, and belong to nobody yet. */
export interface ReceivedFile {
  readonly path: string;
  readonly bytes: number;
}

export interface BatchControl {
  /** Writes bytes to the disk. @throws EngineError `body_too_large`, `insufficient_storage`; what the source throws */
  receive(source: AsyncIterable<Uint8Array>): Promise<ReceivedFile>;
  /** Removes what was received and is not wanted. */
  discard(received: ReceivedFile): Promise<void>;
  /** Makes a file of what was received. `lifeMs`: how long it is kept; null: 30 days. */
  keep(received: ReceivedFile, head: { readonly filename: string; readonly lifeMs: number | null }, owner: Owner): Promise<BatchFile>;
  files(page: PageAsk & { readonly purpose: string | null }, owner: Owner): Promise<Page<BatchFile>>;
  /** @throws EngineError `file_not_found` */
  file(id: string, owner: Owner): Promise<BatchFile>;
  /** @throws EngineError `file_not_found` */
  content(file: BatchFile): AsyncIterable<Uint8Array>;
  /** @throws EngineError `file_not_found`; `invalid_request` while a batch reads it */
  deleteFile(id: string, owner: Owner): Promise<void>;
  /** @throws EngineError `invalid_request` naming the field, `file_not_found` */
  create(wish: BatchWish, owner: Owner): Promise<Batch>;
  batches(page: PageAsk, owner: Owner): Promise<Page<Batch>>;
  /** @throws EngineError `batch_not_found` */
  batch(id: string, owner: Owner): Promise<Batch>;
  /** What has run stays; rows that have not are named in the error file. @throws EngineError `batch_not_found`; `invalid_request` when it has ended */
  cancel(id: string, owner: Owner): Promise<Batch>;
  /** For the console. */
  view(owner: Owner): Promise<BatchesAnswer>;
}

/** One row on its way to a model. */
export interface RowRequest {
  /** Of this attempt; the record of its cost bears it. */
  readonly requestId: string;
  readonly tenant: string;
  readonly keyId: string | null;
  readonly endpoint: string;
  /** JSON */
  readonly body: Uint8Array;
}

export interface RowAnswer {
  readonly status: number;
  /** JSON on one line. */
  readonly body: string;
}

/** What runs rows, and the interactive work that goes before them. */
export interface RowServer {
  /** Rejects with the signal's reason when that ends the row first. */
  run(row: RowRequest, signal: AbortSignal): Promise<RowAnswer>;
  /** Endpoints whose requests may be rows. */
  endpoints(): readonly string[];
  /** Sequences that a model computes together; null while that is unknown. */
  slotsOf(model: string): number | null;
  /** Interactive requests under way. */
  readonly foreground: number;
  /** Called whenever that number changes, before an arriving request is worked on; returns how to stop. */
  onForeground(listener: () => void): () => void;
}
