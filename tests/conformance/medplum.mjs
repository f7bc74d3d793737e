// @medplum/core at its everyday work. Arguments: base, token.
import assert from 'node:assert/strict';
import { MedplumClient, OperationOutcomeError } from '@medplum/core';

const [base, token] = process.argv.slice(2);
const origin = base.replace(/fhir\/R4$/, '');
const medplum = new MedplumClient({ baseUrl: origin, fhirUrlPath: 'fhir/R4', accessToken: token, cacheTime: 0 });
const system = 'urn:medplum';
const identifier = [{ system, value: '1' }];

const ada = await medplum.createResource({ resourceType: 'Patient', identifier, name: [{ family: 'Medplum' }] });
assert.equal(ada.meta.versionId, '1');
assert.equal((await medplum.readResource('Patient', ada.id)).name[0].family, 'Medplum');
const changed = await medplum.updateResource({ ...ada, gender: 'female' });
assert.equal(changed.meta.versionId, '2');
assert.equal((await medplum.updateResource(changed)).meta.versionId, '2');
const patched = await medplum.patchResource('Patient', ada.id, [{ op: 'replace', path: '/gender', value: 'other' }]);
assert.equal(patched.gender, 'other');
assert.equal((await medplum.readVersion('Patient', ada.id, '2')).gender, 'female');
assert.equal((await medplum.readHistory('Patient', ada.id)).entry.length, 3);
console.log('create read update patch history');

const same = await medplum.createResourceIfNoneExist(
  { resourceType: 'Patient', identifier },
  `identifier=${system}|1`
);
assert.equal(same.id, ada.id);
const upserted = await medplum.upsertResource(
  { resourceType: 'Patient', identifier, birthDate: '1950-01-02' },
  { identifier: `${system}|1` }
);
assert.equal(upserted.id, ada.id);
console.log('conditional create and update');

const entry = Array.from({ length: 7 }, (_, n) => ({
  request: { method: 'POST', url: 'Observation' },
  resource: {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
    subject: { reference: `Patient/${ada.id}` },
    valueQuantity: { value: 60 + n, system: 'http://unitsofmeasure.org', code: '/min' },
  },
}));
const done = await medplum.executeBatch({ resourceType: 'Bundle', type: 'batch', entry });
assert.deepEqual(
  done.entry.map((one) => one.response.status.slice(0, 3)),
  Array(7).fill('201')
);
console.log('batch');

const found = [];
for await (const page of medplum.searchResourcePages('Observation', { subject: `Patient/${ada.id}`, _count: 3 })) {
  assert.ok(page.length <= 3);
  found.push(...page);
}
assert.equal(found.length, 7);
assert.equal((await medplum.searchOne('Patient', { identifier: `${system}|1` })).id, ada.id);
const counted = await medplum.search('Observation', { subject: `Patient/${ada.id}`, _summary: 'count' });
assert.equal(counted.total, 7);
console.log('search with paging');

await medplum.deleteResource('Observation', found[0].id);
await assert.rejects(medplum.readResource('Observation', found[0].id), OperationOutcomeError);
await assert.rejects(medplum.createResource({ resourceType: 'Patient', gender: 'womn' }), (error) => {
  assert.ok(error instanceof OperationOutcomeError);
  assert.deepEqual(error.outcome.issue[0].expression, ['Patient.gender']);
  return true;
});
console.log('delete and refusals');
