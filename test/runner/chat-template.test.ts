import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChatTemplate } from '../../engine/runner/chat-template.ts';

const CHATML =
  "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] | trim }}<|im_end|>\n{% endfor %}" +
  '{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';
const OPEN = { add_generation_prompt: false, continue_final_message: true };
const template = new ChatTemplate(CHATML, { bosToken: '', eosToken: '<|im_end|>' });

const render = (answer: string, templateOptions: Record<string, unknown> = OPEN): string =>
  template.render({
    kind: 'chat',
    messages: [
      { role: 'user', content: 'Count.' },
      { role: 'assistant', content: answer },
    ],
    tools: null,
    templateOptions,
  });

describe('ChatTemplate', () => {
  it('asks for an answer unless told otherwise', () => {
    expect(render('One', {})).toMatch(/One<\|im_end\|>\n<\|im_start\|>assistant\n$/);
  });

  it('leaves the last message open, where it is to be continued', () => {
    expect(render('One, two,')).toMatch(/assistant\nOne, two,$/);
  });

  it('ends in what was said, its white space too, whatever that was', () => {
    const said = fc.string({ minLength: 1 }).filter((text) => text.trim() !== '');
    fc.assert(
      fc.property(said, (text) => {
        expect(render(text).endsWith(`assistant\n${text.trimStart()}`)).toBe(true);
      }),
    );
  });

  it('refuses to continue nothing', () => {
    expect(() => render(' ')).toThrow(/cannot be continued/);
  });
});
