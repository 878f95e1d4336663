// Getting a model: one of the catalogue with how well it fits this machine, or any other by name, address or path.
import { useState } from 'react';
import type { CatalogueModel, DeviceNow } from '../../../engine/contract.ts';
import { useRead } from '../api/queries.tsx';
import { formatBytes, formatCount, formatParameters, formatRate } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { TextField } from '../parts/field.tsx';
import { Choice } from '../parts/select.tsx';
import { Status, type Tone } from '../parts/status.tsx';
import { catalogueMatches, fitOf, USE_WORDS, type Fit } from './model-list.ts';
import { usePull, type Precision } from './use-pull.ts';

export interface PullDialogProps {
  readonly open: boolean;
  readonly onClose: () => void;
  /** Ids of what is there already. */
  readonly installed: ReadonlySet<string>;
  readonly devices: readonly DeviceNow[];
}

export function PullDialog({ open, onClose, ...rest }: PullDialogProps) {
  return (
    <Dialog title='Get a model' open={open} onClose={onClose} wide>
      {open && <PullForm onClose={onClose} {...rest} />}
    </Dialog>
  );
}

const PRECISIONS = (['default', 'int8', 'int4', 'fp16', 'fp32'] as const).map((value) => ({ value, label: value }));

function PullForm({ onClose, installed, devices }: Omit<PullDialogProps, 'open'>) {
  const catalogue = useRead<readonly CatalogueModel[]>('/api/catalogue');
  const [name, setName] = useState('');
  const [precision, setPrecision] = useState<Precision>('default');
  const { pull, error, busy } = usePull();
  const get = async (wanted: string): Promise<void> => {
    if (await pull(wanted, precision)) onClose();
  };
  const shown = catalogue.data?.filter((model) => catalogueMatches(model, name)) ?? [];
  const other = name.trim();
  const known = shown.some(({ id }) => id === other);
  return (
    <form
      className='stack'
      onSubmit={(event) => {
        event.preventDefault();
        if (other !== '') void get(other);
      }}
    >
      <TextField
        label='Name'
        hint='Of the list below, of the Hugging Face hub (owner/name), an address, or a path to a GGUF file or a folder on the machine that serves.'
        value={name}
        onChange={setName}
      />
      <div className='row'>
        <Choice label='Precision' value={precision} options={PRECISIONS} onChange={setPrecision} />
        <span className='quiet small'>default is int8: for most uses as accurate as fp32, at a quarter of its size.</span>
        {other !== '' && !known && (
          <Button kind='primary' type='submit' className='push' busy={busy}>
            Get {other.length > 40 ? `${other.slice(0, 39)}…` : other}
          </Button>
        )}
      </div>
      {error !== null && <ErrorNote error={error} what='The download did not begin.' />}
      {catalogue.isPending && <Loading lines={6} label='Loading the catalogue' />}
      {catalogue.isError && (
        <ErrorNote error={catalogue.error} what='The catalogue could not be read.' onRetry={() => void catalogue.refetch()} />
      )}
      <ul className='catalogue' aria-label='Catalogue'>
        {shown.map((model) => (
          <CatalogueRow
            key={model.id}
            model={model}
            fit={fitOf(model.sizeBytes, devices)}
            installed={installed.has(model.id)}
            busy={busy}
            onGet={() => void get(model.id)}
          />
        ))}
      </ul>
    </form>
  );
}

interface CatalogueRowProps {
  readonly model: CatalogueModel;
  readonly fit: Fit;
  readonly installed: boolean;
  readonly busy: boolean;
  readonly onGet: () => void;
}

const FIT_TONES: Readonly<Record<Fit['kind'], Tone>> = { fits: 'ok', tight: 'warning', too_large: 'problem', unknown: 'idle' };

function CatalogueRow({ model, fit, installed, busy, onGet }: CatalogueRowProps) {
  const { id, title, use, parameterCount, sizeBytes, licence, contextLength, tokensPerSecond } = model;
  return (
    <li className='catalogue-row'>
      <span className='stack catalogue-name'>
        <strong className='wrap-anywhere'>{title}</strong>
        <span className='quiet small'>
          {id} · {USE_WORDS[use]} · {formatCount(contextLength)} tokens · {licence}
        </span>
      </span>
      <span className='stack catalogue-size'>
        <span>
          {formatParameters(parameterCount)}, {formatBytes(sizeBytes)}
        </span>
        <span className='small'>
          <Status tone={FIT_TONES[fit.kind]} word={fit.words} />
          {tokensPerSecond !== null && fit.kind !== 'too_large' && ` about ${formatRate(tokensPerSecond)} tokens/s`}
        </span>
      </span>
      {installed ? (
        <span className='quiet catalogue-get'>installed</span>
      ) : (
        <Button className='catalogue-get' busy={busy} aria-label={`Get ${title}`} onClick={onGet}>
          Get
        </Button>
      )}
    </li>
  );
}
