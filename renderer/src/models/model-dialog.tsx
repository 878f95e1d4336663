// Everything that is known of one model, while it changes.
import type { BatchStatus, ModelStatus, RunningModel } from '../../../engine/contract.ts';
import { formatBytes, formatCount, formatDuration, formatParameters, formatRate, formatShare, orDash } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { describeSlots } from '../parts/cells.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Status } from '../parts/status.tsx';
import { goTo } from '../shell/hash-location.ts';
import { ModelActions, type ModelCommands } from './model-actions.tsx';
import { STATE_TONES, STATE_WORDS, unloadWords, USE_WORDS } from './model-list.ts';

export interface ModelDialogProps {
  /** Undefined: closed. */
  readonly model: ModelStatus | undefined;
  readonly commands: ModelCommands;
  readonly onClose: () => void;
}

export function ModelDialog({ model, commands, onClose }: ModelDialogProps) {
  return (
    <Dialog title={model?.id ?? 'Model'} open={model !== undefined} onClose={onClose}>
      {model !== undefined && <ModelFacts model={model} commands={commands} onClose={onClose} />}
    </Dialog>
  );
}

function ModelFacts({
  model,
  commands,
  onClose,
}: {
  readonly model: ModelStatus;
  readonly commands: ModelCommands;
  readonly onClose: () => void;
}) {
  const query = `model=${encodeURIComponent(model.id)}`;
  const removing = { ...commands, remove: (id: string) => (onClose(), commands.remove(id)) };
  return (
    <>
      <Status tone={STATE_TONES[model.state]} word={STATE_WORDS[model.state]} />
      {model.failure !== null && <p className='model-failure wrap-anywhere'>{model.failure}</p>}
      <dl className='model-facts'>
        {factsOf(model).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div className='row'>
        {model.use === 'text' && <Button onClick={() => goTo(`/chat?${query}`)}>Chat</Button>}
        <Button onClick={() => goTo(`/lab?${query}`)}>Variants</Button>
        <Button onClick={() => goTo(`/history?${query}`)}>History</Button>
        <span className='push'>
          <ModelActions model={model} commands={removing} />
        </span>
      </div>
    </>
  );
}

type Fact = readonly [string, string];

function factsOf(model: ModelStatus): readonly Fact[] {
  const { running } = model;
  return [
    ['Use', USE_WORDS[model.use]],
    ['Precision', model.precision],
    ['Size', `${formatParameters(model.parameterCount)} parameters, ${formatBytes(model.sizeBytes)} on disk`],
    ['Trained context', `${formatCount(model.trainedContext)} tokens`],
    ['Unloads', unloadWords(model)],
    ...(running === null ? [] : runningFacts(running, model.tokensPerSecond)),
  ];
}

function runningFacts(running: RunningModel, tokensPerSecond: number): readonly Fact[] {
  return [
    ['Device', `${running.device}, process ${running.pid}`],
    ['Loaded in', formatDuration(running.loadMs)],
    ['Memory now', orDash(running.memoryBytes, formatBytes)],
    ['Speed now', `${formatRate(tokensPerSecond)} tokens/s`],
    ['Running, waiting', `${formatCount(running.runningRequests)}, ${formatCount(running.waitingRequests)}`],
    ...(running.batches === null ? decoderFacts(running) : batchFacts(running.batches)),
  ];
}

const decoderFacts = (running: RunningModel): readonly Fact[] => [
  ['Context of a slot', `${formatCount(running.contextLength)} tokens`],
  ['Slots', describeSlots(running.slotUse)],
  ['KV cache', `${formatCount(running.kvUsedTokens)} tokens, ${formatBytes(running.kvBytes)}`],
];

const batchFacts = ({ width, meanSize, meanFill, meanWaitMs, tokenBudget, textsPerSecond }: BatchStatus): readonly Fact[] => [
  ['Width', formatCount(width)],
  ['Mean batch', `${formatRate(meanSize)} texts, ${formatShare(meanFill)} of ${formatCount(tokenBudget)} tokens`],
  ['Mean wait', formatDuration(meanWaitMs)],
  ['Texts', `${formatRate(textsPerSecond)} texts/s`],
];
