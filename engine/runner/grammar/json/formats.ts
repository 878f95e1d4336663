// The values of JSON Schema's `format` that can be enforced, as regular expressions over the whole string.
// Each is a part of what its RFC allows: every text that matches is valid.

const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const TIME = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])';
/** Any year's months with their days; the 29th of February only where every year has one: never. */
const DATE = '[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))';
const LABEL = '[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?';
const HOST = `${LABEL}(\\.${LABEL}){0,7}`;
const GROUP = '[0-9a-f]{1,4}';

export const FORMATS: Readonly<Record<string, string>> = {
  date: DATE,
  time: TIME,
  'date-time': `${DATE}T${TIME}`,
  duration:
    'P([0-9]{1,6}W|([0-9]{1,6}Y([0-9]{1,6}M([0-9]{1,6}D)?)?|[0-9]{1,6}M([0-9]{1,6}D)?|[0-9]{1,6}D)(T([0-9]{1,6}H([0-9]{1,6}M([0-9]{1,6}S)?)?|[0-9]{1,6}M([0-9]{1,6}S)?|[0-9]{1,6}S))?|T([0-9]{1,6}H([0-9]{1,6}M([0-9]{1,6}S)?)?|[0-9]{1,6}M([0-9]{1,6}S)?|[0-9]{1,6}S))',
  email: `[a-zA-Z0-9_+-]{1,32}(\\.[a-zA-Z0-9_+-]{1,30}){0,3}@${HOST}\\.[a-z]{2,8}`,
  hostname: HOST,
  ipv4: `${OCTET}(\\.${OCTET}){3}`,
  ipv6: `${GROUP}(:${GROUP}){7}`,
  uuid: '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
  uri: `(https?|ftp)://${HOST}(:[1-9][0-9]{0,3})?(/[a-zA-Z0-9._~-]{1,64}){0,16}/?(\\?[a-zA-Z0-9._~=&-]{1,128})?(#[a-zA-Z0-9._~-]{1,64})?`,
  'json-pointer': '(/([a-zA-Z0-9._-]|~[01]){0,64}){0,16}',
};
