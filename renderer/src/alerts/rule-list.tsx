// The alert rules: switched on and off, edited, added, removed.
import { useState } from 'react';
import type { AlertRule } from '../../../engine/contract.ts';
import { describeError } from '../api/api-error.ts';
import { Button } from '../parts/button.tsx';
import { Check } from '../parts/field.tsx';
import { Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { useToast } from '../parts/toast.tsx';
import { useSettings } from '../settings/use-settings.ts';
import { RuleDialog } from './rule-dialog.tsx';
import { describeRule } from './rule-words.ts';

export function RuleList({ rules: stored }: { readonly rules: readonly AlertRule[] }) {
  const [editing, setEditing] = useState<AlertRule | null>(null);
  // Shown until the engine has taken the change, or refused it.
  const [wanted, setWanted] = useState<readonly AlertRule[] | null>(null);
  const { save } = useSettings();
  const toast = useToast();
  const rules = wanted ?? stored;
  const write = async (next: readonly AlertRule[], text?: string): Promise<void> => {
    setWanted(next);
    try {
      await save({ alerts: { rules: next } });
      if (text !== undefined) toast({ text, undo: () => void write(rules) });
    } catch (error) {
      toast({ text: describeError(error).message, tone: 'problem' });
    } finally {
      setWanted((shown) => (shown === next ? null : shown));
    }
  };
  const columns: readonly Column<AlertRule>[] = [
    {
      id: 'name',
      title: 'Rule',
      render: (rule) => (
        <Check
          label={rule.name}
          checked={rule.enabled}
          onChange={(enabled) => void write(rules.map((each) => (each.id === rule.id ? { ...rule, enabled } : each)))}
        />
      ),
    },
    { id: 'when', title: 'Fires when', grow: true, render: (rule) => <span title={describeRule(rule)}>{describeRule(rule)}</span> },
    {
      id: 'actions',
      title: 'Change',
      align: 'end',
      render: (rule) => (
        <span className='row alerts-actions'>
          <Button onClick={() => setEditing(rule)} aria-label={`Edit ${rule.name}`}>
            Edit
          </Button>
          <Button
            onClick={() =>
              void write(
                rules.filter(({ id }) => id !== rule.id),
                `${rule.name} is removed.`,
              )
            }
            aria-label={`Remove ${rule.name}`}
          >
            Remove
          </Button>
        </span>
      ),
    },
  ];
  return (
    <Panel title='Rules' actions={<Button onClick={() => setEditing(newRule(rules))}>Add a rule</Button>}>
      <Table
        label='Alert rules'
        columns={columns}
        rows={rules}
        rowKey={({ id }) => id}
        onOpen={setEditing}
        empty={<Empty title='No rules.'>Without rules nothing is judged. Add one, such as a queue deeper than 100.</Empty>}
      />
      {editing !== null && (
        <RuleDialog
          key={editing.id}
          rule={editing}
          onClose={() => setEditing(null)}
          onSave={(rule) =>
            save({
              alerts: {
                rules: rules.some(({ id }) => id === rule.id) ? rules.map((each) => (each.id === rule.id ? rule : each)) : [...rules, rule],
              },
            })
          }
        />
      )}
    </Panel>
  );
}

function newRule(rules: readonly AlertRule[]): AlertRule {
  const taken = new Set(rules.map(({ id }) => id));
  let number = rules.length + 1;
  while (taken.has(`rule-${number}`)) number++;
  return {
    id: `rule-${number}`,
    name: 'New rule',
    enabled: true,
    metric: 'queueDepth',
    comparison: 'above',
    threshold: 100,
    windowSeconds: 60,
    clearThreshold: 80,
    minLoad: 0,
    indicates: '',
    remedy: '',
  };
}
