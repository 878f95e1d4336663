// Several fake hosts as one: each model has a host of its own, so that each can be slow, full or broken by itself.
import type {
  EncodeRequest,
  Encoding,
  GenerateRequest,
  Generation,
  HostedModel,
  InferRequest,
  ModelHost,
} from '../../engine/fleet/host.ts';
import type { Tensor } from '../../engine/models/infer/tensors.ts';
import type { GenerateEvent, PromptInput } from '../../engine/runner/protocol.ts';
import { FakeHost, type FakeHostOptions } from './host.ts';

export class FakeHosts implements ModelHost {
  readonly #hosts: ReadonlyMap<string, FakeHost>;

  /** Models by name, the smallest first. */
  constructor(models: Readonly<Record<string, FakeHostOptions>>) {
    this.#hosts = new Map(Object.entries(models).map(([id, options]) => [id, new FakeHost({ ...options, models: [id] })]));
  }

  of(model: string): FakeHost {
    const host = this.#hosts.get(model);
    if (host === undefined) throw new Error(`There is no ${model}.`);
    return host;
  }

  list(): readonly HostedModel[] {
    return [...this.#hosts.values()].flatMap((host, place) =>
      host.list().map((model) => ({ ...model, manifest: { ...model.manifest, parameterCount: 1e8 * (place + 1) } })),
    );
  }

  get(model: string): HostedModel | undefined {
    return this.list().find(({ manifest }) => manifest.id === model);
  }

  generate(request: GenerateRequest, onEvent: (event: GenerateEvent) => void): Generation {
    return this.of(request.model).generate(request, onEvent);
  }

  encode(request: EncodeRequest, signal: AbortSignal): Promise<Encoding> {
    return this.of(request.model).encode(request, signal);
  }

  infer(request: InferRequest, signal: AbortSignal): Promise<readonly Tensor[]> {
    return this.of(request.model).infer(request, signal);
  }

  tokenize(model: string, prompt: PromptInput): Promise<readonly number[]> {
    return this.of(model).tokenize(model, prompt);
  }
}
