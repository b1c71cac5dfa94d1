//===- SimDeviceTest.cpp - A package made by hand on the machine ----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include <gmock/gmock.h>

#include <cstring>

using namespace chipwright;
using namespace chipwright::models;
using namespace chipwright::test;
using testing::HasSubstr;

namespace {

const std::vector<SequencePiece> kPieces = {{0, {3, 11, 40, 7}}, {1, {5, 3}}};

TEST(SimDevice, ComputesTheModel) {
  TinyModel &tiny = tinyModel();
  auto device = tiny.device(sim::Mode::Functional);
  Step step = tiny.step(kPieces);
  auto outcome = device->run(step, nullptr);
  ASSERT_TRUE(outcome) << outcome.error().message;
  ASSERT_TRUE(outcome->logits);
  Reference<double> reference(tiny.graph, tiny.weights);
  KvCache<double> cache(tiny.graph, 256);
  auto expected = reference.run(step, cache);
  ASSERT_TRUE(expected) << expected.error().message;
  ASSERT_EQ(outcome->logits->rows(), 6);
  ASSERT_EQ(outcome->logits->cols(), kTinyVocabulary);
  double error = (outcome->logits->cast<double>() - expected->logits).norm() /
                 expected->logits.norm();
  // bf16 has rounded the norm's result and nothing else.
  EXPECT_LT(error, 4e-3);
  EXPECT_GT(error, 0);
  ASSERT_EQ(outcome->routers.size(), 1u);
  const RouterRecord &router = outcome->routers.at("router");
  EXPECT_EQ(router.logits.rows(), 6);
  EXPECT_EQ(router.chosen, chooseExperts(router.logits, 1));
}

TEST(SimDevice, ReportsEachLaunchAndTheStep) {
  TinyModel &tiny = tinyModel();
  auto device = tiny.device(sim::Mode::Functional);
  auto outcome = device->run(tiny.step(kPieces), nullptr);
  ASSERT_TRUE(outcome) << outcome.error().message;
  const StepTime &time = *outcome->time;
  ASSERT_EQ(time.launches.size(), tiny.package.launches.size());
  sim::Cycle cycles = 0;
  uint64_t instructions = 0, commands = 0, passes = 0, trains = 0,
           dramBytes = 0;
  double joules = 0;
  for (size_t i = 0; i < time.launches.size(); ++i) {
    const LaunchRecord &launch = time.launches[i];
    const Measurement &m = launch.measurement;
    EXPECT_EQ(launch.op, tiny.package.launches[i].op);
    EXPECT_GT(m.job.cycles, 0u);
    cycles += m.job.cycles;
    instructions += m.job.instructions;
    commands += m.job.commands;
    passes += m.job.passes;
    trains += m.job.trains;
    dramBytes += m.dramReadBytes + m.dramWriteBytes;
    joules += m.energy.total();
    for (const EngineTime &engine : m.engines) {
      sim::Cycle sum = engine.busy;
      for (sim::Cycle lost : engine.lost) {
        sum += lost;
      }
      EXPECT_EQ(sum, m.job.cycles * m.numPes) << launch.op << engine.name;
    }
  }
  const Measurement &sum = time.measurement;
  EXPECT_EQ(sum.job.instructions, instructions);
  EXPECT_EQ(sum.job.commands, commands);
  EXPECT_EQ(sum.job.passes, passes);
  EXPECT_EQ(sum.job.trains, trains);
  EXPECT_EQ(sum.dramReadBytes + sum.dramWriteBytes, dramBytes);
  EXPECT_GE(sum.job.cycles, cycles);
  EXPECT_LE(sum.job.cycles, cycles + 2 * time.launches.size());
  EXPECT_NEAR(sum.energy.total(), joules, joules * 1e-3);
  EXPECT_GT(commands, 0u);
  // ids, rows, two bounds, and entries of 3 + 1 and 2 tokens.
  EXPECT_EQ(time.uploadBytes, 4u * (6 + 6 + 2 * 6 + 4 * 3));
  EXPECT_EQ(time.downloadBytes, 4u * 6 * kTinyVocabulary);
  const HostSpec &host = tiny.chip.spec.host;
  EXPECT_GT(time.uploadSeconds, host.roundTripNs * 0.5e-9);
  EXPECT_GT(time.downloadSeconds, host.roundTripNs * 1e-9);
  EXPECT_DOUBLE_EQ(time.seconds(),
                   time.uploadSeconds + sum.seconds + time.downloadSeconds);
}

/// A launch of the program that the last one used sends no image.
TEST(SimDevice, ImagesStayForTheSameProgram) {
  TinyModel &tiny = tinyModel();
  Package twice = tiny.package;
  twice.launches = {tiny.package.launches[0], tiny.package.launches[0],
                    tiny.package.launches[1], tiny.package.launches[0]};
  MachineRequest request;
  auto machine = PackageMachine::create(twice, tiny.chip, request, "tiny");
  ASSERT_TRUE(machine) << machine.error().message;
  StepSizes sizes{{"tokens", 0}};
  std::vector<sim::Cycle> latency;
  for (size_t i = 0; i < 4; ++i) {
    auto record = (*machine)->launch(i, sizes);
    ASSERT_TRUE(record) << record.error().message;
    const sim::JobResult &job = record->measurement.job;
    latency.push_back(job.firstStart - (job.end - job.cycles));
  }
  EXPECT_LT(latency[1], latency[0]);
  EXPECT_EQ(latency[3], latency[0]);
}

TEST(SimDevice, RefusesWhatDoesNotBelongTogether) {
  TinyModel &tiny = tinyModel();
  using Change = std::function<void(Package &)>;
  const std::pair<const char *, Change> cases[] = {
      {"architectural fingerprint",
       [](Package &p) { p.architecturalFingerprint ^= 1; }},
      {"compiled from a", [](Package &p) { p.modelHash ^= 1; }},
      {"one buffer of logits",
       [](Package &p) { p.buffers[8].role = BufferRole::Output; }},
      {"a buffer of logits and a bound of slots",
       [](Package &p) { p.buffers.back().role = BufferRole::Activation; }},
      {"not ELF", [](Package &p) { p.programs[1].elf = {1, 2, 3}; }},
      {"a parameter of the model",
       [](Package &p) { p.buffers[0].parameter = "other"; }},
      {"bytes of norm.weight",
       [](Package &p) { p.buffers[1].shape[1].constant = 63; }},
      {"job descriptor",
       [](Package &p) {
         p.launches[0].arguments.resize(4000,
                                        {PackageArgument::Address, 0, {}});
       }},
  };
  for (const auto &[expected, change] : cases) {
    Package package = tiny.package;
    change(package);
    SimDevice::Request request;
    request.machine.mode = sim::Mode::Functional;
    request.packageName = "tiny.cwx";
    auto device = SimDevice::create(package, tiny.graph, &tiny.weights,
                                    tiny.chip, request);
    ASSERT_FALSE(device) << expected;
    // The ELF reader says what it found.
    if (std::string(expected) != "not ELF") {
      EXPECT_THAT(device.error().message, HasSubstr(expected));
    } else {
      EXPECT_THAT(device.error().message, HasSubstr("program norm"));
    }
  }
}

TEST(SimDevice, RefusesStepsBeyondItsBounds) {
  TinyModel &tiny = tinyModel();
  auto device = tiny.device(sim::Mode::Functional);
  auto refused =
      device->run(tiny.step({{0, {1, 2, 3, 4, 5, 6, 7, 8, 9}}}), nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().exitStatus, ExitDoesNotFit);
  EXPECT_THAT(refused.error().message, HasSubstr("9 outputs"));
  RouterChoices replay;
  EXPECT_EQ(device->run(tiny.step({{0, {1}}}), &replay).error().exitStatus,
            ExitUsage);
  // A refused step leaves the device as it was.
  EXPECT_TRUE(device->run(tiny.step({{0, {1}}}), nullptr));
}

TEST(SimDevice, StopsNameTheOp) {
  TinyModel &tiny = tinyModel();
  Package broken = tiny.package;
  // Rows of the table far beyond its buffer.
  broken.launches[0].arguments[4].size = {1 << 20, ""};
  SimDevice::Request request;
  request.machine.mode = sim::Mode::Functional;
  request.packageName = "tiny.cwx";
  auto device =
      SimDevice::create(broken, tiny.graph, &tiny.weights, tiny.chip, request);
  ASSERT_TRUE(device) << device.error().message;
  auto stopped = (*device)->run(tiny.step({{0, {1}}}), nullptr);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().exitStatus, ExitStopped);
  EXPECT_THAT(stopped.error().message, HasSubstr("embed (launch 0)"));
}

} // namespace
