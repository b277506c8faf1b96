-- What wrk sends: requests for keys in turn, made once.
-- Arguments behind `--`: METHOD QUERY KEYS BODY_BYTES

local requests = {}
local at = 0

function init(args)
  local method, query, keys, bytes = args[1], args[2], tonumber(args[3]), tonumber(args[4])
  local body = bytes > 0 and string.rep("v", bytes) or nil
  for key = 1, keys do
    requests[key] = wrk.format(method, "/v1/kv/key-" .. (key - 1) .. query, nil, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

-- One line for the benchmark, behind wrk's own words.
function done(summary, latency, _)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '\n{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"lost":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    lost, errors.status))
end
