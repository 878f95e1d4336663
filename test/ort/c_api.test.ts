import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import places from '../../engine/ort/c_api_index.json' with { type: 'json' };
import { OrtError, onnxRuntime } from '../../engine/ort/index.ts';
import { apiVersionOf, checkedCalls } from '../../engine/ort/library.ts';
import { apiNamesInHeader } from './c_api_header.ts';

describe('the places of the functions', () => {
  test('are those of the header', async () => {
    const lines = (await readFile(new URL('c_api_names.txt', import.meta.url), 'utf8')).split('\n');
    const names = lines.filter((line) => line !== '' && !line.startsWith('#'));
    expect(Object.entries(places)).toEqual(names.map((name, place) => [name, place]));
  });

  test('are read from every form that a member takes', () => {
    const header = `
      typedef struct OrtOther { int Ignored; } OrtOther;
      struct OrtApi {
        /* Plain; */ OrtStatus*(ORT_API_CALL* CreateStatus)(OrtErrorCode code, _In_ const char* msg)NO_EXCEPTION ORT_ALL_ARGS_NONNULL;
        ORT_API2_STATUS(CreateEnv, OrtLoggingLevel level,
                        _Outptr_ OrtEnv** out); // ORT_API2_STATUS(NotThis);
        #if 1
        ORT_CLASS_RELEASE(Env);
        #endif
      };
      struct OrtAfter { ORT_API2_STATUS(NotThisEither); };`;
    expect(apiNamesInHeader(header)).toEqual(['CreateStatus', 'CreateEnv', 'ReleaseEnv']);
  });
});

describe('a status', () => {
  test('becomes an error with its code and message, and is released', () => {
    const released: bigint[] = [];
    const { check } = checkedCalls({
      getErrorCode: () => 7,
      getErrorMessage: () => 'bad bytes',
      releaseStatus: (status) => released.push(status),
    });
    check(null);
    expect(() => check(5n)).toThrow(expect.objectContaining({ code: 'INVALID_PROTOBUF', message: 'INVALID_PROTOBUF: bad bytes' }));
    expect(released).toEqual([5n]);
  });
});

describe('the loaded library', () => {
  test('is of the major version that the places belong to', () => {
    expect(onnxRuntime().version).toMatch(/^1\.\d+\.\d+/);
    expect(onnxRuntime()).toBe(onnxRuntime());
  });

  test('is asked for the table of its own minor version', () => {
    expect(apiVersionOf('1.30.0')).toBe(30);
    expect(() => apiVersionOf('2.0.1')).toThrow(OrtError);
    expect(() => apiVersionOf('nightly')).toThrow(OrtError);
  });
});
