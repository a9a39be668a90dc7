// Runs ClickHouse's own client, unchanged, through what applications do with it. One line "ok NAME" per step; the first failure ends it.
// usage: node client.mjs URL USER   (the password in the environment: STREAMS_TEST_PASSWORD)
import assert from 'node:assert/strict';
import { createClient } from '@clickhouse/client';

const [url, username] = process.argv.slice(2);
const password = process.env.STREAMS_TEST_PASSWORD;
const open = (more = {}) => createClient({ url, username, password, ...more });

const step = async (name, body) => {
  await body();
  console.log(`ok ${name}`);
};

const client = open({ compression: { request: true, response: true } });
try {
  await step('ping', async () => assert.equal((await client.ping()).success, true));
  await step('ping with a query', async () => assert.equal((await client.ping({ select: true })).success, true));
  await step('ddl', async () => {
    await client.command({ query: 'DROP TABLE IF EXISTS js_rows' });
    await client.command({
      query: 'CREATE TABLE js_rows (id UInt64, name String, at DateTime64(6)) ENGINE = MergeTree ORDER BY id',
      clickhouse_settings: { wait_end_of_query: 1 },
    });
  });
  await step('insert of JSONEachRow', async () => {
    const result = await client.insert({
      table: 'js_rows',
      format: 'JSONEachRow',
      values: [{ id: 1, name: "it's \\ \n ünï", at: '2026-01-02 03:04:05.678901' }, { id: '2', name: '', at: '2026-01-02 03:04:06' }],
    });
    assert.equal(result.executed, true);
    assert.equal(result.summary.written_rows, '2');
  });
  await step('insert of a stream', async () => {
    const { Readable } = await import('node:stream');
    const rows = Readable.from((function* () {
      for (let i = 3; i <= 10000; i++) yield { id: i, name: `n${i}`, at: '2026-01-02 03:04:05' };
    })());
    await client.insert({ table: 'js_rows', format: 'JSONEachRow', values: rows });
  });
  await step('select with parameters', async () => {
    const set = await client.query({
      query: 'SELECT id, name FROM js_rows WHERE id = {id:UInt64} OR name = {name:String} ORDER BY id',
      query_params: { id: 1, name: 'n77' },
      format: 'JSONEachRow',
    });
    assert.deepEqual(await set.json(), [{ id: 1, name: "it's \\ \n ünï" }, { id: 77, name: 'n77' }]);
  });
  await step('select with parameters too long for a URL', async () => {
    const set = await client.query({
      query: 'SELECT length({ids:Array(UInt32)}) AS n, length({text:String}) AS m',
      query_params: { ids: Array.from({ length: 5000 }, (_, i) => i), text: 'x'.repeat(20000) },
      use_multipart_params: true,
      format: 'JSONEachRow',
    });
    assert.deepEqual(await set.json(), [{ n: 5000, m: 20000 }]);
  });
  await step('settings of one query', async () => {
    const read = async (settings) =>
      (await (await client.query({ query: "SELECT getSetting('max_block_size')::String AS v", format: 'JSONEachRow', clickhouse_settings: settings })).json())[0].v;
    assert.equal(await read({ max_block_size: '1234' }), '1234');
    assert.notEqual(await read({}), '1234');
  });
  await step('JSON with meta and query id', async () => {
    const set = await client.query({ query: 'SELECT count() AS n FROM js_rows', query_id: 'my-query', format: 'JSON' });
    assert.equal(set.query_id, 'my-query');
    const { meta, data, rows } = await set.json();
    assert.deepEqual([meta, data, rows], [[{ name: 'n', type: 'UInt64' }], [{ n: 10000 }], 1]);
  });
  await step('streaming select', async () => {
    const plain = open();
    const set = await plain.query({ query: 'SELECT number, toString(number) AS s FROM numbers(500000)', format: 'JSONEachRow' });
    let count = 0;
    let sum = 0;
    for await (const rows of set.stream()) for (const row of rows) { count++; sum += Number(row.json().number); }
    assert.deepEqual([count, sum], [500000, 124999750000]);
    await plain.close();
  });
  await step('error before the first row', async () => {
    await assert.rejects(client.query({ query: 'SELECT * FROM js_missing' }), (e) => e.code === '60' && e.type === 'UNKNOWN_TABLE');
    await assert.rejects(client.command({ query: 'SELEC 1' }), (e) => e.code === '62');
  });
  await step('error after a million rows', async () => {
    const plain = open();
    const set = await plain.query({
      query: 'SELECT number, throwIf(number = 1000000) AS t FROM numbers(2000000) SETTINGS max_threads = 1, max_block_size = 10000',
      format: 'JSONEachRow',
    });
    await assert.rejects(async () => { for await (const rows of set.stream()) rows.length; }, (e) => e.code === '395' || /FUNCTION_THROW_IF|395/.test(String(e)));
    await plain.close();
  });
  await step('abort', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 200);
    await assert.rejects(client.query({
      query: 'SELECT sleepEachRow(0.1) FROM numbers(600) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 100000000',
      abort_signal: controller.signal,
    }));
  });
  await step('wrong password', async () => {
    const wrong = open({ password: 'wrong' });
    await assert.rejects(wrong.query({ query: 'SELECT 1' }), (e) => e.code === '516');
    await wrong.close();
  });
  await client.command({ query: 'DROP TABLE js_rows' });
} finally {
  await client.close();
}
