// fhir-kit-client at its everyday work. Arguments: base, token.
import assert from 'node:assert/strict';
import { Client } from 'fhir-kit-client';

const [baseUrl, token] = process.argv.slice(2);
const client = new Client({ baseUrl, bearerToken: token });
const system = 'urn:fhir-kit-client';
const identifier = [{ system, value: '1' }];

assert.equal((await client.capabilityStatement()).fhirVersion, '4.0.1');
const smart = await client.smartAuthMetadata();
assert.ok(String(smart.tokenUrl).endsWith('/oauth/token'));
console.log('capabilities');

const ada = await client.create({ resourceType: 'Patient', body: { resourceType: 'Patient', identifier } });
assert.equal((await client.read({ resourceType: 'Patient', id: ada.id })).id, ada.id);
const changed = await client.update({ resourceType: 'Patient', id: ada.id, body: { ...ada, gender: 'female' } });
assert.equal(changed.meta.versionId, '2');
const jsonPatch = [{ op: 'replace', path: '/gender', value: 'other' }];
assert.equal((await client.patch({ resourceType: 'Patient', id: ada.id, jsonPatch })).gender, 'other');
assert.equal((await client.vread({ resourceType: 'Patient', id: ada.id, version: '2' })).gender, 'female');
assert.equal((await client.history({ resourceType: 'Patient', id: ada.id })).entry.length, 3);
console.log('create read update patch history');

const headers = { 'If-None-Exist': `identifier=${system}|1` };
const same = await client.create({
  resourceType: 'Patient', body: { resourceType: 'Patient', identifier }, options: { headers },
});
assert.equal(same.id, ada.id);
const upserted = await client.update({
  resourceType: 'Patient',
  searchParams: { identifier: `${system}|1` },
  body: { resourceType: 'Patient', identifier, birthDate: '1950-01-02' },
});
assert.equal(upserted.id, ada.id);
console.log('conditional create and update');

const entry = Array.from({ length: 7 }, (_, n) => ({
  request: { method: 'POST', url: 'Observation' },
  resource: {
    resourceType: 'Observation', status: 'final', code: { text: 'pulse' },
    subject: { reference: `Patient/${ada.id}` }, valueInteger: 60 + n,
  },
}));
const batch = await client.batch({ body: { resourceType: 'Bundle', type: 'batch', entry } });
assert.equal(batch.entry.length, 7);
const whole = await client.transaction({
  body: { resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'GET', url: `Patient/${ada.id}` } }] },
});
assert.equal(whole.entry[0].resource.id, ada.id);
console.log('batch and transaction');

let page = await client.search({ resourceType: 'Observation', searchParams: { patient: ada.id, _count: '3' } });
const found = [];
while (page) {
  found.push(...page.entry.map((one) => one.resource));
  page = await client.nextPage({ bundle: page });
}
assert.equal(new Set(found.map((one) => one.id)).size, 7);
const posted = await client.search({
  resourceType: 'Observation', searchParams: { patient: ada.id }, options: { postSearch: true },
});
assert.equal(posted.total, 7);
console.log('search with paging');

await client.delete({ resourceType: 'Observation', id: found[0].id });
await assert.rejects(client.read({ resourceType: 'Observation', id: found[0].id }), (error) => {
  assert.equal(error.response.status, 410);
  assert.equal(error.response.data.resourceType, 'OperationOutcome');
  return true;
});
console.log('delete and refusals');
