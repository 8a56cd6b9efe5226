-- wrk: posts the calls of a file, one a line, in turn, and says as JSON what came of it.
--   wrk … -s post.lua URL -- FILE EXPECTED
-- EXPECTED is text that every answer must hold; one that does not is counted as wrong.

local requests, turn = {}, 0
local threads = {}

wrong, answers = 0, 0

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  expected = arguments[2]
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  for line in io.lines(arguments[1]) do
    wrk.body = line
    table.insert(requests, wrk.format())
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function response(status, headers, body)
  answers = answers + 1
  if status ~= 200 or not string.find(body, expected, 1, true) then
    wrong = wrong + 1
  end
end

function done(summary, latency, _)
  local all, bad = 0, 0
  for _, thread in ipairs(threads) do
    all = all + thread:get("answers")
    bad = bad + thread:get("wrong")
  end
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '\n{"answers": %d, "wrong": %d, "lost": %d, "seconds": %f, "p50": %f, "p99": %f, "max": %f}\n',
    all, bad, lost, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
