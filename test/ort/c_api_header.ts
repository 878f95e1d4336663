// Reads the order of OrtApi's functions out of onnxruntime_c_api.h. Run by hand on a header to renew c_api_names.txt.
import { readFile } from 'node:fs/promises';
import { argv, stdout } from 'node:process';

/** The names of the table's functions, first place first. */
export function apiNamesInHeader(header: string): string[] {
  const code = header.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|^\s*#[^\n]*/gm, '');
  return structBody(code)
    .split(';')
    .map((member) => member.trim())
    .filter((member) => member !== '')
    .map(memberName);
}

function structBody(code: string): string {
  const start = code.indexOf('struct OrtApi {');
  let depth = 0;
  for (let at = start; at >= 0 && at < code.length; at++) {
    if (code[at] === '{') depth++;
    if (code[at] === '}' && --depth === 0) return code.slice(code.indexOf('{', start) + 1, at);
  }
  throw new Error('The header has no struct OrtApi.');
}

/** A member is a macro (`ORT_API2_STATUS(Name, …)`, `ORT_CLASS_RELEASE(Env)`) or a plain function pointer. */
function memberName(member: string): string {
  const released = /^ORT_CLASS_RELEASE\w*\(\s*(\w+)/.exec(member)?.[1];
  if (released !== undefined) return `Release${released}`;
  const name =
    /^ORT_API2_STATUS\(\s*(\w+)/.exec(member)?.[1] ??
    /^ORT_API_T\([^,]+,\s*(\w+)/.exec(member)?.[1] ??
    /\*\s*(?:NO_EXCEPTION\s+)?(\w+)\s*\)\s*\(/.exec(member)?.[1];
  if (name === undefined) throw new Error(`Not a member that this reader knows: ${member.slice(0, 80)}`);
  return name;
}

if (import.meta.main) stdout.write(`${apiNamesInHeader(await readFile(argv[2] ?? '', 'utf8')).join('\n')}\n`);
