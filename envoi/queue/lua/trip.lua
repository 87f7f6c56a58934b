-- trip: a pack of commands of a worker, each as its own script would do it. A script costs 10 µs before it does
-- anything, which is a third of what begin costs.
-- KEYS[1] the queue's base. Keys touched: those of the scripts that it runs.
-- ARGV: for each command its script's name, how many arguments it has, and these
-- Answers what each script would, in this order; where one fails, its error, and the others go on.
-- Bound: that of the commands, of which the client sends some at once.
-- runs: claim begin done
-- use: clock event bell pages pace job mids line standing window proof restore due charge
local answers, at = {}, 1
while at <= #ALL do
  local ends = at + 1 + ALL[at + 1]
  ARGV = {unpack(ALL, at + 2, ends)}
  local ran, answer = pcall(scripts[ALL[at]])
  if not ran and type(answer) ~= 'table' then -- a table is what Redis raised
    answer = {err = 'ERR ' .. tostring(answer)}
  end
  answers[#answers + 1] = answer
  at = ends + 1
end
return answers
