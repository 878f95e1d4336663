// How to call this server from elsewhere, as text to copy. Pure.

export interface Snippet {
  readonly name: string;
  /** Where it goes, or what it needs first. */
  readonly note: string;
  readonly text: string;
}

/** `base` ends in `/v1`. No key is needed yet, but the clients insist on some text. */
export function snippetsFor(base: string, model: string): readonly Snippet[] {
  return [
    { name: 'curl', note: 'In a terminal.', text: curl(base, model) },
    { name: 'Python', note: 'pip install openai', text: python(base, model) },
    { name: 'TypeScript', note: 'npm install openai', text: typescript(base, model) },
    { name: 'Open WebUI', note: 'As environment of its container, or under Settings, Connections, OpenAI API.', text: openWebUi(base) },
    { name: 'Continue', note: 'In ~/.continue/config.yaml.', text: continueConfig(base, model) },
  ];
}

const UNUSED_KEY = 'unused';

function curl(base: string, model: string): string {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], stream: true });
  // Inside single quotes a shell takes everything as it is but the quote itself.
  return `curl -N ${base}/chat/completions \\\n  -H 'content-type: application/json' \\\n  -d '${body.replaceAll("'", "'\\''")}'`;
}

function python(base: string, model: string): string {
  return `from openai import OpenAI

client = OpenAI(base_url=${JSON.stringify(base)}, api_key="${UNUSED_KEY}")
stream = client.chat.completions.create(
    model=${JSON.stringify(model)},
    messages=[{"role": "user", "content": "Hello"}],
    stream=True,
)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)`;
}

function typescript(base: string, model: string): string {
  return `import OpenAI from 'openai';

const client = new OpenAI({ baseURL: ${JSON.stringify(base)}, apiKey: '${UNUSED_KEY}' });
const stream = await client.chat.completions.create({
  model: ${JSON.stringify(model)},
  messages: [{ role: 'user', content: 'Hello' }],
  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '');`;
}

function openWebUi(base: string): string {
  return `OPENAI_API_BASE_URL=${base}\nOPENAI_API_KEY=${UNUSED_KEY}`;
}

function continueConfig(base: string, model: string): string {
  return `name: Millrace
version: 1.0.0
schema: v1
models:
  - name: ${JSON.stringify(model)}
    provider: openai
    model: ${JSON.stringify(model)}
    apiBase: ${base}
    apiKey: ${UNUSED_KEY}
    roles: [chat, edit]`;
}
