// Owns what a chat template is given and how its refusals are told. Runs inside the tokenizer worker.
import { Template } from '@huggingface/jinja';
import { EngineError } from '../errors.ts';
import type { PromptInput } from './protocol.ts';

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
    try {
      return this.#template.render({
        bos_token: this.#tokens.bosToken,
        eos_token: this.#tokens.eosToken,
        add_generation_prompt: true,
        ...templateOptions,
        messages,
        tools: tools ?? undefined,
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new EngineError('template_failed', `The model's chat template refuses these messages: ${reason}`, {
        param: 'messages',
        cause: error,
      });
    }
  }
}
