// Owns what a chat template is given and how its refusals are told. Runs inside the tokenizer worker.
import { Template } from '@huggingface/jinja';
import { EngineError } from '../errors.ts';
import type { PromptInput, TemplateMessage } from './protocol.ts';

export interface TemplateTokens {
  readonly bosToken: string;
  readonly eosToken: string;
}

/** Renders the messages of a chat as the model was trained to read them. */
export class ChatTemplate {
  readonly #template: Template;
  readonly #tokens: TemplateTokens;

  constructor(source: string, tokens: TemplateTokens) {
    this.#template = new Template(source);
    this.#tokens = tokens;
  }

  /** @throws EngineError `template_failed` with what the template itself says (`raise_exception`) */
  render({ messages, tools, templateOptions }: Extract<PromptInput, { kind: 'chat' }>): string {
    const continues = templateOptions['continue_final_message'] === true;
    try {
      const text = this.#template.render({
        bos_token: this.#tokens.bosToken,
        eos_token: this.#tokens.eosToken,
        add_generation_prompt: true,
        ...templateOptions,
        messages: continues ? marked(messages) : messages,
        tools: tools ?? undefined,
      });
      return continues ? leftOpen(text) : text;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new EngineError('template_failed', `The model's chat template refuses these messages: ${reason}`, {
        param: 'messages',
        cause: error,
      });
    }
  }
}

/** Stands where the last message ends: of the private use area, so that no text has it and no template changes it. */
const END_MARK = '\u{f8ff}\u{f0000}\u{f8ff}';

/** With a mark behind the last message's content, which is to be continued. @throws Error where there is nothing to continue */
function marked(messages: readonly TemplateMessage[]): readonly TemplateMessage[] {
  const last = messages.at(-1);
  if (last === undefined || last.content.trim() === '') throw new Error('the last message is empty, so it cannot be continued');
  return [...messages.slice(0, -1), { ...last, content: last.content.replaceAll(END_MARK, '') + END_MARK }];
}

/** The text up to the mark: the model goes on with the last message, as after transformers' `continue_final_message`. */
function leftOpen(text: string): string {
  const at = text.lastIndexOf(END_MARK);
  if (at < 0) throw new Error('the template does not show the last message, so it cannot be continued');
  return text.slice(0, at);
}
