/**
 * The rules of `ledger.ts` in Lua. Each script touches one key, so that it runs in a cluster, and asks the server for the
 * time. A row is a hash: `e` epoch, `v` version, `d` due, `c` claim, `u` until, `b` by, `o` and `s` the newest success
 * and when its call began, `x`, `xt` the verdict and since when, `l` the newest look, `q` the newest doubt, `r:NAME` who
 * reports. Rows that nobody writes are gone after two days.
 */

const COMMON = `
local key = KEYS[1]
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function int(x) return string.format('%.0f', x) end
local function num(name) return tonumber(redis.call('HGET', key, name) or '') or 0 end
local function keep() redis.call('PEXPIRE', key, 172800000) end
local function answer(word) return {word, int(now), redis.call('HGETALL', key)} end
local function bump() redis.call('HINCRBY', key, 'v', 1) keep() end
local function tell(channel, id)
  redis.call('PUBLISH', channel, cjson.encode({id, int(now), redis.call('HGETALL', key)}))
end
local function reporters()
  local out = {}
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 'r:' then out[all[i]] = tonumber(all[i + 1]) end
  end
  return out
end
local function acquit()
  redis.call('HDEL', key, 'x', 'xt')
  for name in pairs(reporters()) do redis.call('HDEL', key, name) end
end
local function ok(at, started)
  if at > num('o') then redis.call('HSET', key, 'o', int(at)) end
  if started > num('s') then redis.call('HSET', key, 's', int(started)) end
  if num('s') > num('xt') then acquit() end
end
local function condemn(verdict, by, second, forMs, most)
  if second == '0' then
    redis.call('HSET', key, 'x', verdict, 'xt', int(now))
    return
  end
  local count = 1
  for name, at in pairs(reporters()) do
    if now - at > forMs then redis.call('HDEL', key, name)
    elseif name ~= 'r:' .. by then count = count + 1 end
  end
  redis.call('HSET', key, 'r:' .. by, int(now))
  if count >= most and redis.call('HEXISTS', key, 'x') == 0 then
    redis.call('HSET', key, 'x', verdict, 'xt', int(now))
  end
end
`

/** ARGV: nonce, by, lease in milliseconds. */
export const CLAIM = `${COMMON}
if num('d') > now then return answer('not_due') end
if num('u') > now then return answer('held') end
local epoch = math.max(num('e') + 1, now)
redis.call('HSET', key, 'e', int(epoch), 'c', ARGV[1], 'u', int(now + tonumber(ARGV[3])), 'b', ARGV[2])
bump()
return answer('granted')
`

/** ARGV: nonce, by, due, finding or '', ok at, ok started, '' | up | verdict, second, report ms, reporters, channel, id. */
export const COMMIT = `${COMMON}
local claim = redis.call('HGET', key, 'c')
if not claim or claim == '' or claim ~= ARGV[1] then return answer('superseded') end
redis.call('HSET', key, 'c', '', 'u', '0', 'd', ARGV[3], 'b', ARGV[2])
bump()
if ARGV[4] ~= '' then
  redis.call('HSET', key, 'l', ARGV[4])
  if ARGV[5] ~= '' then ok(math.min(tonumber(ARGV[5]), now), math.min(tonumber(ARGV[6]), now)) end
  if ARGV[7] == 'up' then acquit()
  elseif ARGV[7] ~= '' then condemn(ARGV[7], ARGV[2], ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10])) end
end
tell(ARGV[11], ARGV[12])
return answer('committed')
`

/**
 * ARGV: by, ok at or '', ok started, next due, doubt or '', wait until or '', '' | verdict, report ms, reporters, due,
 * channel, id.
 */
export const MERGE = `${COMMON}
local changed = false
if ARGV[2] ~= '' then
  local at, started = math.min(tonumber(ARGV[2]), now), math.min(tonumber(ARGV[3]), now)
  local isLater = at > num('o')
  if isLater or started > num('s') or tonumber(ARGV[4]) > num('d') then
    ok(at, started)
    if isLater and tonumber(ARGV[4]) > num('d') then redis.call('HSET', key, 'd', ARGV[4]) end
    changed = true
  end
end
if ARGV[5] ~= '' then
  redis.call('HSET', key, 'q', ARGV[5])
  if ARGV[6] == '' then
    if num('d') > now then redis.call('HSET', key, 'd', int(now)) end
  elseif tonumber(ARGV[6]) > num('d') then redis.call('HSET', key, 'd', ARGV[6]) end
  if ARGV[7] ~= '' then condemn(ARGV[7], ARGV[1], '1', tonumber(ARGV[8]), tonumber(ARGV[9])) end
  changed = true
end
if ARGV[10] ~= '' and num('d') > now then
  redis.call('HSET', key, 'd', int(now))
  changed = true
end
if changed then
  if num('e') == 0 then redis.call('HSET', key, 'e', int(now)) end
  bump()
  if ARGV[5] ~= '' then tell(ARGV[11], ARGV[12]) end
end
return answer('merged')
`

/** ARGV: name, milliseconds after which one has left, most names. */
export const MEMBERS = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - tonumber(ARGV[2])))
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {string.format('%.0f', now), redis.call('ZREVRANGE', KEYS[1], 0, tonumber(ARGV[3]) - 1)}
`
