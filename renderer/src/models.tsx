// The installed models as cards, with what each is doing.
import type { BatchStatus, ModelStatus, ModelUse, RunningModel } from '../../engine/contract.ts';
import { formatBytes, formatCount, formatDuration, formatParameters, formatRate } from './format.ts';

export function Models({ models }: { readonly models: readonly ModelStatus[] | null }) {
  return (
    <section aria-labelledby='models-title' className='models'>
      <h2 id='models-title'>Models</h2>
      {models === null && <div className='card placeholder' aria-hidden='true' />}
      {models?.length === 0 && <NoModel />}
      {models?.map((model) => (
        <ModelCard key={model.id} model={model} />
      ))}
    </section>
  );
}

function NoModel() {
  return (
    <div className='card'>
      <p>No model yet. A small one that runs on any machine:</p>
      <pre>
        <code>millrace pull smollm2-135m-instruct</code>
      </pre>
      <p className='quiet'>
        It appears here once it is installed. A GGUF file or a folder of your own works too: millrace pull ./model.gguf
      </p>
    </div>
  );
}

function ModelCard({ model }: { readonly model: ModelStatus }) {
  const { running } = model;
  return (
    <article className='card' aria-label={model.id}>
      <div className='card-head'>
        <h3 title={model.id}>{model.id}</h3>
        <span className={`state ${TONES[model.state]}`}>{model.state}</span>
      </div>
      {model.failure !== null && <p className='failure'>{model.failure}</p>}
      <dl>
        <Fact name='Use' value={USES[model.use]} />
        <Fact name='Precision' value={model.precision} />
        <Fact name='Size' value={`${formatParameters(model.parameterCount)}, ${formatBytes(model.sizeBytes)}`} />
        <Fact name='Context' value={contextOf(model)} />
        <Fact name='Speed' value={`${formatRate(model.tokensPerSecond)} tokens/s`} />
        {running !== null && <RunningFacts running={running} />}
      </dl>
      {running !== null && <Slots running={running} />}
    </article>
  );
}

const USES: Readonly<Record<ModelUse, string>> = {
  text: 'chat and completions',
  embedding: 'embeddings',
  rerank: 'reranking',
  classify: 'classification',
};

const TONES = { ready: 'idle', loading: 'busy', installed: 'quiet', failed: 'problem' } as const;

const contextOf = ({ running, trainedContext }: ModelStatus): string =>
  running === null ? `up to ${formatCount(trainedContext)} tokens` : `${formatCount(running.contextLength)} tokens`;

function RunningFacts({ running }: { readonly running: RunningModel }) {
  return (
    <>
      <Fact name='Device' value={`${running.device.toUpperCase()}, loaded in ${formatDuration(running.loadMs)}`} />
      {running.batches === null ? (
        <Fact name='KV in use' value={`${formatCount(running.kvUsedTokens)} tokens`} />
      ) : (
        <BatchFacts batches={running.batches} />
      )}
    </>
  );
}

function BatchFacts({ batches }: { readonly batches: BatchStatus }) {
  const { width, meanSize, meanFill, meanWaitMs, tokenBudget, textsPerSecond } = batches;
  const fill = `${formatRate(meanSize)} texts, ${Math.round(meanFill * 100)}% of ${formatCount(tokenBudget)} tokens`;
  return (
    <>
      <Fact name='Width' value={formatCount(width)} />
      <Fact name='Mean batch' value={fill} />
      <Fact name='Wait' value={`${formatDuration(meanWaitMs)}, ${formatRate(textsPerSecond)} texts/s`} />
    </>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div className='fact'>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** One cell a slot, so that batching is seen. */
function Slots({ running }: { readonly running: RunningModel }) {
  const { maxSlots, runningRequests, waitingRequests, batches } = running;
  const words =
    batches === null
      ? `${runningRequests} of ${maxSlots} slots busy, ${waitingRequests} waiting`
      : `${runningRequests} of ${maxSlots} texts in the batch, ${waitingRequests} waiting`;
  return (
    <div className='slots'>
      <div className='cells' role='img' aria-label={words}>
        {Array.from({ length: maxSlots }, (_, slot) => (
          <span key={slot} className={slot < runningRequests ? 'cell busy' : 'cell'} />
        ))}
      </div>
      <span className='quiet'>{words}</span>
    </div>
  );
}
