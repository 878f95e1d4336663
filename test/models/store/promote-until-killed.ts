// Promotes and rolls back one model's variants until it is killed. Arguments: data folder, model.
import { ModelStore } from '../../../engine/models/store/model-store.ts';
import { promoted, rolledBack } from '../../../engine/models/store/promotion.ts';

const [dataDir = '', model = ''] = process.argv.slice(2);
const store = new ModelStore(dataDir);
for (;;) {
  await store.change(model, (manifest) => promoted(manifest, 'int4'));
  process.stdout.write('.');
  await store.change(model, rolledBack);
  process.stdout.write('.');
}
